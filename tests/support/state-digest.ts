/**
 * The digest of a state, written a second time from docs/format.md with Node's own SHA-256.
 * It shares no line with the app, so that a fault in the app's digest cannot hide a fault in its state.
 */
import { createHash } from "node:crypto";

/** An entry of `window.holdfast.state()`, as it leaves the page. */
export interface PlainEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

const CHUNK = 1024 * 1024;
const STREAMS = [["float32"], ["int32"], ["uint8", "bool"]];
const DTYPES = ["", "float32", "int32", "uint8", "bool"];

export function stateDigest(entries: readonly PlainEntry[]): string {
  const scalar = (name: string): number => {
    const entry = entries.find((one) => one.name === name);
    if (entry === undefined) throw new Error(`the state has no ${name}`);
    return entry.bytes.readDoubleLE(0);
  };
  const tensors = sorted(entries.filter(({ name }) => /^(param|slot)\//.test(name)));
  const counters = sorted(entries.filter(({ name }) => name.startsWith("counter/")));
  const list = createHash("sha256").update("HFDIGEST").update(u32(2)).update(u32(tensors.length));
  for (const { name, dtype, shape } of tensors) {
    list
      .update(text(name))
      .update(u32(DTYPES.indexOf(dtype)))
      .update(u32(shape.length));
    for (const size of shape) list.update(u64(size));
  }
  const hashes = STREAMS.flatMap((dtypes) => {
    const stream = Buffer.concat(
      tensors.filter(({ dtype }) => dtypes.includes(dtype)).map(({ bytes }) => bytes),
    );
    const starts = Array.from({ length: Math.ceil(stream.length / CHUNK) }, (_, index) => index * CHUNK);
    return starts.map((at) =>
      createHash("sha256")
        .update(stream.subarray(at, at + CHUNK))
        .digest(),
    );
  });
  list.update(u32(hashes.length));
  for (const hash of hashes) list.update(hash);
  list
    .update(u64(scalar("scalar/step")))
    .update(u64(scalar("scalar/samples")))
    .update(u32(counters.length));
  for (const { name, bytes } of counters) list.update(text(name.slice("counter/".length))).update(bytes);
  return list.digest("hex");
}

function sorted(entries: readonly PlainEntry[]): PlainEntry[] {
  return [...entries].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u32(bytes.length), bytes]);
}
