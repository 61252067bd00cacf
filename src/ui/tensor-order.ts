/** The columns of the table of tensors, and the order of its rows by one of them. */
import type { ComparedTensor } from "../analysis/compare";
import { SIDES } from "./route";

/** A number of one side; the first side has a norm only, because the others are held against it. */
export interface Column {
  readonly of: "relative" | "cosine" | "norm";
  /** Its place among the sides. */
  readonly side: number;
}

/** What a number is, in a word. */
export const MEASURES: Readonly<Record<Column["of"], string>> = {
  relative: "change",
  cosine: "cosine",
  norm: "norm",
};

/** For so many sides, measure by measure. */
export function columnsFor(sides: number): readonly Column[] {
  const places = Array.from({ length: sides }, (_, side) => side);
  return (["relative", "cosine", "norm"] as const).flatMap((of) =>
    places.filter((side) => side > 0 || of === "norm").map((side) => ({ of, side })),
  );
}

/** `change B`; where there are two sides it is clear whose change it is. */
export function columnWords({ of, side }: Column, sides: number): string {
  const isClear = of !== "norm" && sides === 2;
  return isClear ? MEASURES[of] : `${MEASURES[of]} ${SIDES[side]?.toUpperCase()}`;
}

/** Null where the side lacks the tensor, or the number is not defined. */
export function valueOf(tensor: ComparedTensor, { of, side }: Column): number | null {
  return tensor.sides[side]?.[of] ?? null;
}

export function isSlot({ name }: Pick<ComparedTensor, "name">): boolean {
  return name.startsWith("slot/");
}

/** The parameter that a tensor is, or is a slot of, and its slots, in the order given. */
export function familyOf(tensors: readonly ComparedTensor[], name: string): readonly ComparedTensor[] {
  const parameter = parameterOf(name);
  const family = tensors.filter((tensor) => parameterOf(tensor.name) === parameter);
  return family.toSorted((x, y) => Number(isSlot(x)) - Number(isSlot(y)) || (x.name < y.name ? -1 : 1));
}

/** `param/w` and `slot/m/w` are both of `w`. */
function parameterOf(name: string): string {
  return name.replace(/^(param|slot\/[^/]+)\//, "");
}

/** Largest first, or smallest; what has no number comes last either way. Equal ones stay in their order. */
export function ordered(
  tensors: readonly ComparedTensor[],
  column: Column,
  isAscending: boolean,
): readonly ComparedTensor[] {
  const sign = isAscending ? 1 : -1;
  return tensors.toSorted((x, y) => {
    const [a, b] = [valueOf(x, column), valueOf(y, column)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return sign * (a - b);
  });
}
