/** A reader of safetensors that shares no line with the app's: what another tool sees. */

export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

const ELEMENT_BYTES: Readonly<Record<string, number>> = { F32: 4, I32: 4, U8: 1 };
const LENGTH_BYTES = 8;

/** Throws where the tensors do not cover the file exactly. */
export function readSafetensors(file: Buffer): SafetensorsFile {
  const start = LENGTH_BYTES + Number(file.readBigUInt64LE(0));
  const header: unknown = JSON.parse(file.subarray(LENGTH_BYTES, start).toString("utf8"));
  const { __metadata__: metadata = {}, ...entries } = record(header);
  const tensors = Object.entries(entries)
    .map(([name, entry]) => {
      const { dtype, shape, data_offsets } = record(entry);
      const [from = 0, to = 0] = numbers(data_offsets);
      return { name, dtype: String(dtype), shape: numbers(shape), from, to };
    })
    .sort((a, b) => a.from - b.from);
  let end = 0;
  for (const { name, dtype, shape, from, to } of tensors) {
    const bytes = shape.reduce((product, side) => product * side, ELEMENT_BYTES[dtype] ?? Number.NaN);
    if (from !== end || to !== end + bytes)
      throw new Error(`"${name}" lies at ${from}…${to}, not at ${end}…${end + bytes}.`);
    end = to;
  }
  if (start + end !== file.length)
    throw new Error(`The tensors end at byte ${start + end}, the file at ${file.length}.`);
  return { metadata: record(metadata), tensors: tensors.map(({ name, shape }) => ({ name, shape })) };
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new Error(`${String(value)} is not an object.`);
  return { ...value };
}

function numbers(value: unknown): readonly number[] {
  if (!Array.isArray(value)) throw new Error(`${String(value)} is not a list.`);
  return value.map(Number);
}
