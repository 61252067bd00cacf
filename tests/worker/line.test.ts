import { expect, suite, test } from "vitest";
import { Visitor } from "../../src/worker/visitor";
import { interpolation, type LineBench } from "../../src/worker/line";
import type { Look, RunDetail, RunStep, State } from "../../src/worker/protocol";
import { codeOf } from "../support/run-samples";
import { lived, RUN, ToyBench } from "../support/lived-run";

/** The loss of it is the square of its first weight, so that the line is known. */
class SquareBench extends ToyBench implements LineBench {
  evaluated = 0;
  evaluateWith({ tensors }: State) {
    this.evaluated += 1;
    return Promise.resolve({ val_loss: (tensors[0]?.values[0] ?? Number.NaN) ** 2 });
  }
}

async function rig(weights: readonly [number[], number[]] = [[-1], [1]]) {
  const run = await lived([0]);
  const { environment } = run.record;
  const benches: SquareBench[] = [];
  const visitor = new Visitor<ToyBench>({
    storage: run.store,
    bench: () => Promise.resolve(new ToyBench(environment)),
    progress: () => undefined,
    now: () => 0,
  });
  const tasks = ["spirals", "spirals"];
  const parts = {
    storage: {
      detail: (id: string) =>
        Promise.resolve({ name: id, task: tasks[id === "r2" ? 1 : 0], record: run.record } as RunDetail),
    },
    look: ({ run: id }: RunStep) => {
      const values = Float32Array.from(weights[id === "r2" ? 1 : 0]);
      const tensor = { name: "param/w", dtype: "float32" as const, shape: [values.length], values };
      const state = { tensors: [tensor], scalars: { step: 1, samples: 0, counters: {} } };
      return Promise.resolve({ visit: { holder: id }, state, metrics: {} } as unknown as Look);
    },
    bench: () => {
      const bench = new SquareBench(environment);
      benches.push(bench);
      return Promise.resolve(bench);
    },
    visitor,
  };
  const ends: readonly [RunStep, RunStep] = [
    { run: "r1", step: 1 },
    { run: "r2", step: 1 },
  ];
  const told: (readonly [number, number])[] = [];
  const ending = new AbortController();
  const watcher = {
    signal: ending.signal,
    progress: (done: number, total: number) => void told.push([done, total]),
  };
  return { parts, ends, watcher, told, ending, benches, tasks, visitor };
}

const isFreed = ({ disposed }: ToyBench) => disposed === 1;

suite("the line between two states", () => {
  test("is evaluated point by point, told, and freed", async () => {
    const { parts, ends, watcher, told, benches, visitor } = await rig();
    const { points, barrier } = await interpolation(parts, ends, watcher);
    expect(points.map(({ alpha, metrics }) => metrics["val_loss"] === (2 * alpha - 1) ** 2)).toEqual(
      new Array(25).fill(true),
    );
    expect(barrier).toEqual({ alpha: 0, height: 0 });
    expect(told).toEqual(Array.from({ length: 26 }, (_, done) => [done, 25]));
    expect(benches.map(({ disposed }) => disposed)).toEqual([1]);
    expect(visitor.isFree).toBe(true);
  });

  test("is not computed where the shapes or the tasks are others, and nothing is made live for it", async () => {
    const { parts, ends, watcher, benches } = await rig([[1], [1, 2]]);
    await expect(interpolation(parts, ends, watcher)).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining("w is [1] and [2]") as string,
    });
    const other = await rig();
    other.tasks[1] = "text";
    await expect(interpolation(other.parts, other.ends, other.watcher)).rejects.toThrow(
      '"r1" trains spirals and "r2" trains text',
    );
    expect([...benches, ...other.benches]).toEqual([]);
  });

  test("ends when nobody wants it any more, and when somebody visits a step", async () => {
    const { parts, ends, watcher, ending, benches } = await rig();
    const progress = (done: number) => {
      if (done === 3) ending.abort();
    };
    expect(await codeOf(interpolation(parts, ends, { ...watcher, progress }))).toBe("cancelled");
    expect(benches.map(({ evaluated }) => evaluated)).toEqual([3]);
    expect(benches.every(isFreed)).toBe(true);

    const visited = await rig();
    const line = interpolation(visited.parts, visited.ends, {
      ...visited.watcher,
      progress: (done) => {
        if (done === 3) void visited.visitor.visit({ run: RUN, step: 0 });
      },
    });
    expect(await codeOf(line)).toBe("cancelled");
    expect(visited.benches.every(isFreed)).toBe(true);
    await visited.visitor.leave();
  });
});
