import { expect, test } from "vitest";
import { compareStates, type SideState } from "../../src/analysis/compare";

function side(
  step: number,
  values: Record<string, number[]>,
  settings: SideState["settings"] = {},
): SideState {
  return {
    run: "ra",
    runName: "A",
    task: "spirals",
    step,
    digest: "",
    metrics: {},
    settings,
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

test("relative change and cosine are those of the definition", () => {
  const { tensors } = compareStates(side(1, { w: [3, 4] }), side(2, { w: [4, 3] }));
  expect(tensors[0]?.relative).toBeCloseTo(Math.sqrt(2) / 5, 12);
  expect(tensors[0]?.cosine).toBeCloseTo(24 / 25, 12);
});

test("equal tensors change by 0, zero tensors have no direction", () => {
  const { tensors } = compareStates(side(1, { w: [1, 2], z: [0, 0] }), side(2, { w: [1, 2], z: [0, 1] }));
  expect(tensors.map(({ name, relative, cosine }) => [name, relative, cosine])).toEqual([
    ["z", null, null],
    ["w", 0, 1],
  ]);
});

test("tensors are sorted by change, largest first", () => {
  const { tensors } = compareStates(
    side(1, { a: [1], b: [1], c: [1] }),
    side(2, { a: [1.1], b: [3], c: [2] }),
  );
  expect(tensors.map(({ name }) => name)).toEqual(["b", "c", "a"]);
});

test("only settings that differ are listed, with null where a side has none", () => {
  const result = compareStates(
    side(1, {}, { rate: 0.1, layers: 2 }),
    side(2, {}, { rate: 0.2, layers: 2, tied: true }),
  );
  expect(result.differing).toEqual([
    { name: "rate", a: 0.1, b: 0.2 },
    { name: "tied", a: null, b: true },
  ]);
  expect(result.settingsCompared).toBe(3);
});

test("tensors of one side, or of other shapes, are named and not compared", () => {
  const result = compareStates(side(1, { w: [1, 2], only: [1] }), side(2, { w: [1, 2, 3], new: [1] }));
  expect(result.tensors).toEqual([]);
  expect(result.unmatched).toEqual(["new", "only", "w"]);
});
