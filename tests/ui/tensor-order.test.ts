import { expect, test } from "vitest";
import type { ComparedTensor } from "../../src/analysis/compare";
import { columnsFor, columnWords, familyOf, ordered } from "../../src/ui/tensor-order";
import { comparedTensor } from "../support/compared";

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
  const tensors = [comparedTensor("a", 0.1, 5), comparedTensor("b", null, 7), comparedTensor("c", 0.4, 6)];
  const change = { of: "relative", side: 1 } as const;
  expect(names(ordered(tensors, change, false))).toEqual(["c", "a", "b"]);
  expect(names(ordered(tensors, change, true))).toEqual(["a", "c", "b"]);
  expect(names(ordered(tensors, { of: "norm", side: 1 }, false))).toEqual(["b", "c", "a"]);
  expect(names(tensors)).toEqual(["a", "b", "c"]);
});

test("a parameter and its slots belong together, whichever of them is chosen", () => {
  const tensors = ["slot/v/head/w", "param/head/w", "slot/m/head/w", "param/w", "slot/m/w"].map((name) =>
    comparedTensor(name, 0.1),
  );
  const family = ["param/head/w", "slot/m/head/w", "slot/v/head/w"];
  expect(names(familyOf(tensors, "param/head/w"))).toEqual(family);
  expect(names(familyOf(tensors, "slot/v/head/w"))).toEqual(family);
  expect(familyOf(tensors, "param/none")).toEqual([]);
});
