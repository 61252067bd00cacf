/** What is made of a table's columns beyond their kind, as sentences to stand beside them. */
import type { InputColumn, TableRows } from "./table-rows";

/** By the column's name; none of a column that is taken as it stands, or ignored. */
export function columnNotes({ target, columns }: TableRows): ReadonlyMap<string, readonly string[]> {
  return new Map([
    [target.name, targetNotes(target)],
    ...columns.map((column) => [column.name, inputNotes(column)] as const),
  ]);
}

function targetNotes(target: TableRows["target"]): readonly string[] {
  if (target.kind === "amount") return [];
  const { classes, together, areDecimals } = target;
  return [
    // The last class is that of the others.
    ...(together === 0
      ? []
      : [
          `${classes.length - 1 + together} different values: the rarest ${together} are taken together as “(others)”.`,
        ]),
    ...(areDecimals ? ["Its values are decimal numbers: regression suits them better."] : []),
  ];
}

function inputNotes({ together }: InputColumn): readonly string[] {
  return together === 0 ? [] : [`The rarest ${together} values are one input together.`];
}
