/** A comparison of made-up states, by the code that compares real ones: screens show what it would say of them. */
import { compareStates } from "../../src/analysis/compare";
import { normals } from "../../src/engine/random";
import type { NamedTensor } from "../../src/format/tensors";
import type { Comparison, RunInfo } from "../../src/worker/protocol";

export interface FakeSide {
  readonly info: RunInfo;
  readonly step: number;
  readonly digest: string;
  readonly metrics: Readonly<Record<string, number>>;
}

const SHAPES: readonly (readonly [name: string, shape: readonly number[]])[] = [
  ["embedding/token", [39, 32]],
  ["block0/attention/input/weight", [32, 96]],
  ["block0/attention/output/weight", [32, 32]],
  ["block0/feed/input/weight", [32, 128]],
  ["block0/feed/output/weight", [128, 32]],
  ["block0/norm1/gain", [32]],
  ["filters/weight", [3, 3, 2, 8]],
  ["head/weight", [32, 39]],
  ["head/bias", [39]],
];

export function fakeComparison(sides: readonly FakeSide[]): Comparison {
  return compareStates(
    sides.map(({ info, step, digest, metrics }, index) => ({
      run: info.id,
      runName: info.name,
      task: info.task,
      step,
      samples: 16 * step,
      digest,
      metrics,
      settings: { learningRate: index === 0 ? 9.2e-4 : 8e-4, dropout: 0.05 * (1 + index), batchSize: 16 },
      hasOwnData: false,
      environment: { backend: "webgpu", browser: index === 2 ? "Chromium 157" : "Chromium 156" },
      state: { tensors: tensorsAt(info.task, step), scalars: { step, samples: 16 * step, counters: {} } },
    })),
  );
}

function tensorsAt(seedText: string, step: number): readonly NamedTensor[] {
  return SHAPES.flatMap(([name, shape], at) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const [start, way] = [normals(at, `${seedText}/start`, 0, size), normals(at, "way", 0, size)];
    const far = (Math.sqrt(step) * (at + 1)) / 400;
    const tensor = (prefix: string, value: (index: number) => number): NamedTensor => ({
      name: `${prefix}/${name}`,
      dtype: "float32",
      shape,
      values: Float32Array.from({ length: size }, (_, index) => value(index)),
    });
    const [before, to] = [(index: number) => start[index] ?? 0, (index: number) => way[index] ?? 0];
    return [
      tensor("param", (index) => 0.1 * before(index) + far * 0.1 * to(index)),
      tensor("slot/m", (index) => (0.01 * to(index)) / (1 + far)),
      tensor("slot/v", (index) => (1e-4 * to(index) ** 2) / (1 + far)),
    ];
  });
}
