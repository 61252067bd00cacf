import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, suite, test } from "vitest";
import { concat, type Bytes } from "../../src/format/bytes";
import {
  isEntryName,
  localHeader,
  zipEnd,
  ZipReader,
  ZipWriter,
  type ByteSource,
  type ZipEntry,
  type ZipOutput,
} from "../../src/format/zip";
import { bytesSource } from "../support/bytes-source";
import { codeOf } from "../support/run-samples";

/** An archive in memory. */
class Memory implements ZipOutput {
  readonly #parts: Bytes[] = [];

  append(bytes: Bytes): Promise<void> {
    this.#parts.push(bytes.slice());
    return Promise.resolve();
  }
  reserve(bytes: number): Promise<(content: Bytes) => Promise<void>> {
    const at = this.#parts.push(new Uint8Array(bytes)) - 1;
    return Promise.resolve((content) => {
      this.#parts[at] = content;
      return Promise.resolve();
    });
  }
  get bytes(): Bytes {
    return concat(this.#parts);
  }
}

type Files = readonly (readonly [name: string, content: Bytes])[];

async function archive(files: Files): Promise<Bytes> {
  const out = new Memory();
  const zip = new ZipWriter(out);
  for (const [name, content] of files) {
    const half = content.length >> 1;
    await zip.add(name, [content.subarray(0, half), content.subarray(half)]);
  }
  await zip.finish();
  return out.bytes;
}

async function unpacked(bytes: Bytes): Promise<Files> {
  const zip = await ZipReader.open(bytesSource(bytes));
  const files: [string, Bytes][] = [];
  for (const entry of zip.entries) {
    const pieces: Bytes[] = [];
    for await (const piece of zip.pieces(entry)) pieces.push(piece);
    files.push([entry.name, concat(pieces)]);
  }
  return files;
}

const ascii = (text: string) => new TextEncoder().encode(text);

const SMALL: Files = [
  ["README.txt", ascii("read me\n")],
  ["runs/r1/empty.csv", new Uint8Array(0)],
  ["bundle.json", ascii('{"a":1}')],
];

function pythonHas(): boolean {
  try {
    execFileSync("python3", ["-c", "import zipfile"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

suite("an archive", () => {
  test("gives back what was put in, in pieces of any length", async () => {
    const content = fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.slice());
    const files = fc.array(fc.tuple(fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,9}$/), content), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(files, async (all) => {
        const distinct = [...new Map(all)];
        expect(await unpacked(await archive(distinct))).toEqual(distinct);
      }),
    );
  });

  test("is the same whenever it is written", async () => {
    expect(await archive(SMALL)).toEqual(await archive(SMALL));
  });

  test.skipIf(!pythonHas())("is whole for Python's zipfile, which nobody here wrote", async () => {
    const folder = mkdtempSync(join(tmpdir(), "holdfast-zip-"));
    try {
      const path = join(folder, "a.zip");
      writeFileSync(path, await archive(SMALL));
      const script =
        "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); print(z.testzip(), [(i.filename, i.file_size) for i in z.infolist()], z.read('README.txt'))";
      expect(execFileSync("python3", ["-c", script, path], { encoding: "utf8" }).trim()).toBe(
        "None [('README.txt', 8), ('runs/r1/empty.csv', 0), ('bundle.json', 7)] b'read me\\n'",
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("is refused where any bit of it is another one", async () => {
    const whole = await archive(SMALL);
    for (let bit = 0; bit < 8 * whole.length; bit += 1) {
      const bytes = whole.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(await codeOf(unpacked(bytes))).toBe("corrupt");
    }
  });

  test("is refused where it is cut, or has more before, behind or between", async () => {
    const whole = await archive(SMALL);
    for (let length = 0; length < whole.length; length += 1)
      expect(await codeOf(unpacked(whole.slice(0, length)))).toBe("corrupt");
    for (const at of [0, 46, whole.length]) {
      const longer = concat([whole.subarray(0, at), ascii("x"), whole.subarray(at)]);
      expect(await codeOf(unpacked(longer))).toBe("corrupt");
    }
  });

  test("with a name twice, or one that leads elsewhere, is refused", async () => {
    const entry: ZipEntry = { name: "a", bytes: 0, crc: 0 };
    const twice = concat([localHeader(entry), localHeader(entry), zipEnd([entry, entry])]);
    expect(await codeOf(unpacked(twice))).toBe("corrupt");
    for (const name of [
      "../a",
      "/a",
      "a//b",
      "a/",
      "a/../b",
      "a\\b",
      ".a",
      "a b",
      "a\0b",
      "ä",
      "",
      "a".repeat(201),
    ])
      expect(isEntryName(name)).toBe(false);
    const hidden = await archive([["aa", new Uint8Array(0)]]);
    const renamed = hidden.map((byte) => (byte === 0x61 ? 0x2e : byte));
    expect(await codeOf(unpacked(renamed))).toBe("corrupt");
  });

  test("that says it has more files than its directory holds is refused before they are looked for", async () => {
    const whole = await archive(SMALL);
    for (const [offset, value] of [
      [10, 60_000],
      [8, 60_000],
      [12, 0xffff],
      [16, 0xfffe],
    ] as const) {
      const bytes = whole.slice();
      new DataView(bytes.buffer).setUint16(whole.length - 22 + offset, value, true);
      expect(await codeOf(unpacked(bytes))).toBe("corrupt");
    }
  });
});

suite("an archive beyond four gigabytes", () => {
  /** Its headers are there, and whatever is asked for of its contents is zeros. */
  function vast(sizes: readonly number[]): {
    readonly source: ByteSource;
    readonly entries: readonly ZipEntry[];
  } {
    const entries = sizes.map((bytes, at) => ({ name: `f${at}`, bytes, crc: at + 1 }));
    const stored: [number, Bytes][] = [];
    let offset = 0;
    for (const entry of entries) {
      stored.push([offset, localHeader(entry)]);
      offset += localHeader(entry).length + entry.bytes;
    }
    const end = zipEnd(entries);
    stored.push([offset, end]);
    const read = (from: number, length: number) => {
      const bytes = new Uint8Array(length);
      for (const [at, part] of stored) {
        for (let i = Math.max(at, from); i < Math.min(at + part.length, from + length); i += 1)
          bytes[i - from] = part[i - at]!;
      }
      return Promise.resolve(bytes);
    };
    const pieces = async function* (from: number, length: number) {
      if (length > 0) yield await read(from, length);
    };
    return { source: { size: offset + end.length, read, pieces }, entries };
  }

  test.for([
    [[5 * 2 ** 30, 3]],
    [[2 ** 32 - 1]],
    [[2 ** 32 - 2]],
    [[3 * 2 ** 30, 3 * 2 ** 30, 1]],
    [Array.from({ length: 70_000 }, () => 0)],
  ])("is read by its wide fields: %#", async ([sizes]) => {
    const { source, entries } = vast(sizes!);
    const zip = await ZipReader.open(source);
    expect(zip.entries.map(({ name, bytes, crc }) => ({ name, bytes, crc }))).toEqual(entries);
    const last = zip.entries.at(-1)!;
    if (last.bytes > 10) return;
    const pieces = zip.pieces(last);
    // Its header is found where it lies; zeros have another checksum than its number.
    const read = (async () => {
      for await (const piece of pieces) expect(piece.length).toBe(last.bytes);
    })();
    await expect(read).rejects.toThrow(/fails its checksum/);
  });
});
