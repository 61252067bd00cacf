import { expect, suite, test } from "vitest";
import { compareStates, environmentFacts, type SideState } from "../../src/analysis/compare";
import type { Environment } from "../../src/format/run";

function side(
  step: number,
  values: Record<string, number[]>,
  facts: Partial<Pick<SideState, "settings" | "environment">> = {},
): SideState {
  return {
    run: "ra",
    runName: "A",
    task: "spirals",
    step,
    samples: 0,
    digest: "",
    metrics: {},
    settings: {},
    hasOwnData: false,
    environment: {},
    ...facts,
    state: {
      tensors: Object.entries(values).map(([name, list]) => ({
        name,
        dtype: "float32",
        shape: [list.length],
        values: Float32Array.from(list),
      })),
      scalars: { step, samples: 0, counters: {} },
    },
  };
}

/** The numbers of one tensor, side by side. */
function changesOf(comparison: ReturnType<typeof compareStates>, wanted: string) {
  return comparison.tensors.find(({ name }) => name === wanted)?.sides;
}

suite("tensors", () => {
  test("relative change, cosine and norm are those of the definition, each against the first", () => {
    const changes = changesOf(
      compareStates([side(1, { w: [3, 4] }), side(2, { w: [4, 3] }), side(3, { w: [-6, -8] })]),
      "w",
    );
    expect(changes?.map((change) => change?.norm)).toEqual([5, 5, 10]);
    expect(changes?.[0]).toMatchObject({ relative: 0, cosine: 1 });
    expect(changes?.[1]?.relative).toBeCloseTo(Math.sqrt(2) / 5, 12);
    expect(changes?.[1]?.cosine).toBeCloseTo(24 / 25, 12);
    // Not 15 / 5 from the second: ‖(−9, −12)‖ / 5.
    expect(changes?.[2]?.relative).toBeCloseTo(3, 12);
    expect(changes?.[2]?.cosine).toBeCloseTo(-1, 12);
  });

  test("sums keep the digits that float32 would lose", () => {
    const many = Array.from({ length: 100_000 }, () => 0.1);
    const [first] = changesOf(compareStates([side(1, { w: many }), side(2, { w: many })]), "w") ?? [];
    const value = Math.fround(0.1);
    const exact = value * Math.sqrt(100_000);
    expect(Math.abs((first?.norm ?? 0) / exact - 1)).toBeLessThan(1e-11);
    // The control: the same sum in float32 is off by far more.
    const rough = many.reduce((sum) => Math.fround(sum + Math.fround(value * value)), 0);
    expect(Math.abs(Math.sqrt(rough) / exact - 1)).toBeGreaterThan(1e-7);
  });

  test("equal tensors change by 0, zero tensors have no direction", () => {
    const { tensors } = compareStates([side(1, { w: [1, 2], z: [0, 0] }), side(2, { w: [1, 2], z: [0, 1] })]);
    expect(tensors.map(({ name, sides }) => [name, sides[1]?.relative, sides[1]?.cosine])).toEqual([
      ["z", null, null],
      ["w", 0, 1],
    ]);
  });

  test("are sorted by their largest change on any side, largest first", () => {
    const { tensors } = compareStates([
      side(1, { a: [1], b: [1], c: [1] }),
      side(2, { a: [1.1], b: [3], c: [2] }),
      side(3, { a: [9], b: [1], c: [1] }),
    ]);
    expect(tensors.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  test("of one side, or of other shapes, are not compared there", () => {
    const result = compareStates([
      side(1, { w: [1, 2], only: [1], both: [1] }),
      side(2, { w: [1, 2, 3], new: [1], both: [2] }),
      side(3, { w: [2, 1] }),
    ]);
    expect(changesOf(result, "w")?.map((change) => change !== null)).toEqual([true, false, true]);
    expect(changesOf(result, "both")?.map((change) => change !== null)).toEqual([true, true, false]);
    expect(result.unmatched).toEqual(["new", "only"]);
  });
});

suite("settings and environment", () => {
  test("only those that differ on any side are listed, with null where one has none", () => {
    const result = compareStates([
      side(1, {}, { settings: { rate: 0.1, layers: 2, seed: 1 } }),
      side(2, {}, { settings: { rate: 0.1, layers: 2, tied: true, seed: 1 } }),
      side(3, {}, { settings: { rate: 0.2, layers: 2, seed: 1 } }),
    ]);
    expect(result.differing).toEqual([
      { of: "settings", name: "rate", values: [0.1, 0.1, 0.2] },
      { of: "settings", name: "tied", values: [null, true, null] },
    ]);
  });

  test("another adapter, browser, kernel or data is named by itself", () => {
    const here: Environment = {
      backend: "webgpu",
      adapter: { vendor: "one", architecture: "x" },
      browser: "Chromium 156",
      tfjs: "4.22.0",
      flags: { TYPE: "3" },
      math: { kernels: 1 },
    };
    const there = { ...here, adapter: { vendor: "other", architecture: "x" }, math: { kernels: 2 } };
    const { differing } = compareStates([
      side(1, {}, { environment: environmentFacts(here, "points") }),
      side(2, {}, { environment: environmentFacts(there, "points, anew") }),
    ]);
    expect(differing).toEqual([
      { of: "environment", name: "adapter vendor", values: ["one", "other"] },
      { of: "environment", name: "data", values: ["points", "points, anew"] },
      { of: "environment", name: "math kernels", values: [1, 2] },
    ]);
  });
});
