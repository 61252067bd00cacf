import { expect, test } from "vitest";
import type { ComparedTensor } from "../../src/analysis/compare";
import { columnsFor, columnWords, ordered } from "../../src/ui/tensor-order";

function tensor(name: string, relative: number | null, norm = 1): ComparedTensor {
  return {
    name,
    shape: [2, 3],
    sides: [
      { relative: 0, cosine: 1, norm: 1 },
      { relative, cosine: relative === null ? null : 1 - relative, norm },
    ],
  };
}

const names = (tensors: readonly ComparedTensor[]) => tensors.map(({ name }) => name);

test("the others are held against the first, and each has a norm", () => {
  expect(columnsFor(2).map((column) => columnWords(column, 2))).toEqual([
    "change",
    "cosine",
    "norm A",
    "norm B",
  ]);
  expect(columnsFor(3).map((column) => columnWords(column, 3))).toEqual([
    "change B",
    "change C",
    "cosine B",
    "cosine C",
    "norm A",
    "norm B",
    "norm C",
  ]);
});

test("rows are ordered by any column, either way, and what has no number comes last", () => {
  const tensors = [tensor("a", 0.1, 5), tensor("b", null, 7), tensor("c", 0.4, 6)];
  const change = { of: "relative", side: 1 } as const;
  expect(names(ordered(tensors, change, false))).toEqual(["c", "a", "b"]);
  expect(names(ordered(tensors, change, true))).toEqual(["a", "c", "b"]);
  expect(names(ordered(tensors, { of: "norm", side: 1 }, false))).toEqual(["b", "c", "a"]);
  expect(names(tensors)).toEqual(["a", "b", "c"]);
});
