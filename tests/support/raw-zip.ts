/** ZIP archives with whatever fields one likes: what no honest program writes. */
import { concat, type Bytes } from "../../src/format/bytes";
import { crc32 } from "../../src/format/crc";

export interface RawFields {
  readonly name?: string;
  readonly version?: number;
  readonly flags?: number;
  readonly method?: number;
  readonly time?: number;
  readonly crc?: number;
  readonly stored?: number;
  readonly size?: number;
  readonly extra?: Bytes;
  readonly comment?: string;
  readonly attributes?: number;
  readonly offset?: number;
}

export interface RawEntry {
  readonly name: string;
  readonly content: Bytes;
  /** In the local header and in the directory. */
  readonly both?: RawFields;
  readonly local?: RawFields;
  readonly central?: RawFields;
}

export interface RawEnd {
  readonly disk?: number;
  readonly count?: number;
  readonly countHere?: number;
  readonly length?: number;
  readonly offset?: number;
  readonly comment?: string;
  /** Between the last content and the directory. */
  readonly gap?: Bytes;
  readonly before?: Bytes;
  readonly after?: Bytes;
  /** Other order of the directory. */
  readonly order?: (entries: number) => readonly number[];
}

const utf8 = (text: string): Bytes => new TextEncoder().encode(text);

function numbers(...fields: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Bytes {
  const out = new Uint8Array(fields.reduce((sum, [bytes]) => sum + bytes, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return out;
}

/** A ZIP64 extra field with these numbers. */
export function wideExtra(...values: readonly number[]): Bytes {
  return concat([numbers([2, 1], [2, 8 * values.length]), ...values.map((value) => numbers([8, value]))]);
}

export function rawZip(entries: readonly RawEntry[], end: RawEnd = {}): Bytes {
  const parts: Bytes[] = [end.before ?? new Uint8Array(0)];
  const directory: Bytes[] = [];
  let at = parts[0]!.length;
  for (const { name, content, both, local, central } of entries) {
    const plain = { name, version: 20, flags: 0, method: 0, time: 0, crc: crc32(content), attributes: 0 };
    const whole = { ...plain, stored: content.length, size: content.length, comment: "", offset: at };
    const here = { ...whole, extra: new Uint8Array(0), ...both, ...local };
    const there = { ...whole, extra: new Uint8Array(0), ...both, ...central };
    const head = concat([
      numbers(
        [4, 0x04034b50],
        [2, here.version],
        [2, here.flags],
        [2, here.method],
        [2, here.time],
        [2, 0x21],
      ),
      numbers(
        [4, here.crc],
        [4, here.stored],
        [4, here.size],
        [2, utf8(here.name).length],
        [2, here.extra.length],
      ),
      utf8(here.name),
      here.extra,
    ]);
    parts.push(head, content);
    at += head.length + content.length;
    directory.push(
      concat([
        numbers([4, 0x02014b50], [2, there.version], [2, there.version], [2, there.flags], [2, there.method]),
        numbers([2, there.time], [2, 0x21], [4, there.crc], [4, there.stored], [4, there.size]),
        numbers([2, utf8(there.name).length], [2, there.extra.length], [2, utf8(there.comment).length]),
        numbers([2, 0], [2, 0], [4, there.attributes], [4, there.offset]),
        utf8(there.name),
        there.extra,
        utf8(there.comment),
      ]),
    );
  }
  const gap = end.gap ?? new Uint8Array(0);
  const order = end.order?.(entries.length) ?? entries.map((_, index) => index);
  const listed = concat(order.map((index) => directory[index]!));
  const comment = utf8(end.comment ?? "");
  const tail = concat([
    numbers([4, 0x06054b50], [2, end.disk ?? 0], [2, 0]),
    numbers([2, end.countHere ?? order.length], [2, end.count ?? order.length]),
    numbers([4, end.length ?? listed.length], [4, end.offset ?? at + gap.length], [2, comment.length]),
    comment,
  ]);
  return concat([...parts, gap, listed, tail, end.after ?? new Uint8Array(0)]);
}
