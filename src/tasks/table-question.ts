/** A row that a person asks a table's model by: one that is held out to begin with, and any as inputs. */
import { HoldfastError } from "../errors";
import type { RowExample } from "../format/question";
import type { TableRows } from "./table-rows";

/** The held-out row at place `index`, which goes round. A cell that its column takes for missing is empty. */
export function exampleOf({ target, columns, named, heldOut }: TableRows, index: number): RowExample {
  const at = ((index % heldOut.length) + heldOut.length) % heldOut.length;
  const row = heldOut[at] ?? 0;
  return {
    row: row + 1,
    of: heldOut.length,
    cells: Object.fromEntries([
      ...[...named, target].map(({ name, cells }) => [name, cells[row] ?? ""] as const),
      ...columns.map(({ name, cellOf }) => [name, cellOf(row)] as const),
    ]),
    target: target.name,
    fields: columns.map(({ name, kind, gaps, values, rare }) => ({
      name,
      kind,
      canBeMissing: gaps > 0,
      values,
      rare,
    })),
  };
}

/** What the network reads of a row that is given by its cells. Throws `invalid`, naming the column that is at fault. */
export function inputsOfCells(
  { columns, inputs }: Pick<TableRows, "columns" | "inputs">,
  cells: Readonly<Record<string, unknown>> | null | undefined,
): Float32Array<ArrayBuffer> {
  if (typeof cells !== "object" || cells === null)
    throw new HoldfastError("invalid", "The row has no cells; give each as text by the name of its column.");
  const values = new Float32Array(inputs);
  let offset = 0;
  for (const column of columns) {
    const cell = cells[column.name];
    if (typeof cell !== "string")
      throw new HoldfastError(
        "invalid",
        `The model reads “${column.name}”, which the row does not give as text; give it as it would stand in the table.`,
      );
    column.writeCell(cell, values, offset);
    offset += column.inputs;
  }
  return values;
}
