/** What is made of a table's columns beyond their kind, as sentences to stand beside them. */
import type { InputColumn } from "./table-inputs";
import type { TableRows } from "./table-rows";

/** By the column's name; none of a column that is taken as it stands, or ignored. */
export function columnNotes(rows: TableRows): ReadonlyMap<string, readonly string[]> {
  return new Map([
    [rows.target.name, targetNotes(rows)],
    ...rows.columns.map((column) => [column.name, inputNotes(column)] as const),
  ]);
}

function targetNotes({ target, withoutTarget }: TableRows): readonly string[] {
  if (target.kind === "amount") return leftOut(withoutTarget, "number");
  const { classes, together, areDecimals } = target;
  // The last class is that of the others.
  const different = classes.length - 1 + together;
  return [
    ...leftOut(withoutTarget, "value"),
    ...(together === 0
      ? []
      : [`${different} different values: the rarest ${together} are taken together as “(others)”.`]),
    ...(areDecimals ? ["Its values are decimal numbers: regression suits them better."] : []),
  ];
}

function leftOut(rows: number, what: "number" | "value"): readonly string[] {
  return rows === 0
    ? []
    : [`${counted(rows)} without a ${what} of it ${rows === 1 ? "is" : "are"} left out.`];
}

function inputNotes({ kind, gaps, together }: InputColumn): readonly string[] {
  const missing =
    kind === "number"
      ? `${counted(gaps)} without a number: the mean stands in for it, and an input of its own says so.`
      : `${counted(gaps)} without a value: an input of its own says so.`;
  return [
    ...(gaps === 0 ? [] : [missing]),
    ...(together === 0 ? [] : [`The rarest ${together} values are one input together.`]),
  ];
}

function counted(rows: number): string {
  return `${rows} ${rows === 1 ? "row" : "rows"}`;
}
