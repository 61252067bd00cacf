/** The tables of docs/format.md, read as a program: with them alone a golden store can be taken apart to the last byte. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, suite, test } from "vitest";
import { packsOf } from "../support/golden";

interface Field {
  readonly name: string;
  /** From the beginning of the header; null in the trailer, whose fields follow each other. */
  readonly offset: number | null;
  readonly length: number;
}

const format = readFileSync(new URL("../../docs/format.md", import.meta.url), "utf8");
const WIDTHS: Readonly<Record<string, number>> = { u8: 1, u16: 2, u32: 4, u64: 8 };

/** Rows of the first table below a heading. */
function tableBelow(heading: string): readonly (readonly string[])[] {
  const lines = format.slice(format.indexOf(`\n## ${heading}\n`)).split("\n");
  const start = lines.findIndex((line) => line.startsWith("|"));
  const end = lines.findIndex((line, at) => at > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function fieldsOf(rows: readonly (readonly string[])[]): readonly Field[] {
  return rows.map(([offset = "", name = "", bytes = ""]) => {
    const magic = /^`([0-9a-f ]+)`$/.exec(name);
    return {
      name: magic === null ? name : `magic ${name}`,
      offset: /^\d+$/.test(offset) ? Number(offset) : null,
      length: WIDTHS[bytes] ?? (/^\d+$/.test(bytes) ? Number(bytes) : 0),
    };
  });
}

/** The number of a little-endian field. */
function numberAt(bytes: Buffer, at: number, length: number): number {
  return length === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUIntLE(at, length);
}

function field(fields: readonly Field[], name: RegExp): Field {
  const found = fields.find((one) => name.test(one.name));
  if (found === undefined) throw new Error(`docs/format.md has no field ${String(name)}.`);
  return found;
}

function magicIn({ name }: Field): string {
  return (/`([0-9a-f ]+)`/.exec(name)?.[1] ?? "").replaceAll(" ", "");
}

/** CRC-32C, bit by bit: nothing of the sources goes into it. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

suite("a golden store, read by the tables of docs/format.md", () => {
  const folder = fileURLToPath(new URL("../fixtures/v1", import.meta.url));
  let packs: readonly (readonly [string, Buffer])[] = [];
  const pack = fieldsOf(tableBelow("Pack"));
  const frameTable = fieldsOf(tableBelow("Frame"));
  const header = frameTable.filter(({ offset }) => offset !== null);
  const trailer = frameTable.slice(header.length);
  const types = new Map(
    [...format.matchAll(/^\| (\d+) +\| (\w+) +\| (state|log|data) +\|/gm)].map(([, id, name]) => [
      Number(id),
      name,
    ]),
  );

  beforeAll(async () => {
    packs = (await packsOf(folder)).map(([name, bytes]) => [name, Buffer.from(bytes)] as const);
  });

  test("every field of a pack's header is where its table says, and the table leaves no hole", () => {
    expect(packs.length).toBeGreaterThan(3);
    let next = 0;
    for (const { offset, length } of pack) {
      expect(offset).toBe(next);
      next += length;
    }
    for (const [name, bytes] of packs) {
      const number = (what: RegExp) => {
        const { offset, length } = field(pack, what);
        return numberAt(bytes, offset ?? 0, length);
      };
      const [magic] = pack;
      expect(bytes.subarray(0, 8).toString("hex")).toBe(magic === undefined ? "" : magicIn(magic));
      expect(number(/^version/)).toBe(1);
      const id = field(pack, /^pack id/).offset ?? 0;
      expect(bytes.subarray(id, id + number(/^length of the id/)).toString()).toBe(name);
      expect(number(/^created/)).toBeGreaterThan(1.6e12);
      const crc = field(pack, /^CRC-32C/).offset ?? 0;
      expect(number(/^CRC-32C/)).toBe(crc32c(bytes.subarray(0, crc)));
    }
  });

  test("frames fill each pack to its end, and each says what it is", () => {
    const headerBytes = field(frameTable, /^payload/).offset ?? 0;
    const seen = new Set<string | undefined>();
    for (const [, bytes] of packs) {
      let at = pack.reduce((sum, { length }) => sum + length, 0);
      while (at < bytes.length) {
        const number = (what: RegExp) => {
          const { offset, length } = field(header, what);
          return numberAt(bytes, at + (offset ?? 0), length);
        };
        expect(bytes.subarray(at, at + 8).toString("hex")).toBe(magicIn(field(header, /^magic/)));
        expect(number(/^version/)).toBe(1);
        const type = types.get(number(/^type/));
        seen.add(type);
        const crc = field(header, /^CRC-32C/).offset ?? 0;
        expect(number(/^CRC-32C/)).toBe(crc32c(bytes.subarray(at, at + crc)));
        const stored = number(/^stored length/);
        const payload = bytes.subarray(at + headerBytes, at + headerBytes + stored);
        if (number(/^codec/) === 0) {
          expect(stored).toBe(number(/^raw length/));
          const hash = field(header, /^SHA-256/);
          const from = at + (hash.offset ?? 0);
          expect(bytes.subarray(from, from + hash.length).toString("hex")).toBe(
            createHash("sha256").update(payload).digest("hex"),
          );
        }
        let end = at + headerBytes + Math.ceil(stored / 8) * 8;
        const [sequence, payloadCrc, magic] = trailer;
        expect(numberAt(bytes, end, sequence?.length ?? 0)).toBe(number(/^sequence/));
        end += sequence?.length ?? 0;
        expect(numberAt(bytes, end, payloadCrc?.length ?? 0)).toBe(crc32c(payload));
        end += payloadCrc?.length ?? 0;
        expect(bytes.subarray(end, end + 4).toString("hex")).toBe(magic === undefined ? "" : magicIn(magic));
        at = end + (magic?.length ?? 0);
      }
      expect(at).toBe(bytes.length);
    }
    expect([...seen].sort()).toEqual([...types.values()].sort());
  });
});
