import { expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { MirrorFiles } from "../../src/exchange/mirror-files";
import type { BundlePart } from "../../src/format/bundle";
import { Cut, MemoryFolder } from "../support/memory-folder";
import { codeOf } from "../support/run-samples";

const README: BundlePart = { kind: "readme" };
const PIECES = [Uint8Array.of(97), Uint8Array.of(98, 99)];
/** SHA-256 of "abc", FIPS 180-2, B.1. */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const FILE = { name: "README.txt", bytes: 3, sha256: ABC };

function files(folder: MemoryFolder, all: boolean, pause = () => Promise.resolve()): MirrorFiles {
  return new MirrorFiles(folder, { all, pause });
}

async function written(): Promise<{ readonly folder: MemoryFolder; readonly mirror: MirrorFiles }> {
  const folder = new MemoryFolder();
  const mirror = files(folder, true);
  await mirror.write("README.txt", README, ABC, PIECES);
  return { folder, mirror };
}

suite("files of a mirror", () => {
  test("what was written is known with its length and its hash, and is there", async () => {
    const { mirror } = await written();
    expect(mirror.known).toEqual([FILE]);
    expect(mirror.get("README.txt")).toEqual(FILE);
    expect(await mirror.isThere(FILE, README)).toBe(true);
    expect(await mirror.hash(PIECES)).toEqual({ bytes: 3, sha256: ABC });
  });

  test("of a damaged file its length says nothing, and reading it back does", async () => {
    const { folder } = await written();
    folder.damage("README.txt");
    expect(await files(folder, false).isThere(FILE, README)).toBe(true);
    expect(await files(folder, true).isThere(FILE, README)).toBe(false);
    folder.files.set("README.txt", Uint8Array.of(97));
    expect(await files(folder, false).isThere(FILE, README)).toBe(false);
    folder.files.clear();
    expect(await files(folder, false).isThere(FILE, README)).toBe(false);
  });

  test("a file whose writing was cut off is not known", async () => {
    const folder = new MemoryFolder();
    folder.left = 1;
    const mirror = files(folder, false);
    await expect(mirror.write("README.txt", README, ABC, PIECES)).rejects.toThrow(Cut);
    expect(mirror.known).toEqual([]);
    expect(() => mirror.get("README.txt")).toThrow(HoldfastError);
  });

  test("reading back stops where nobody wants the rest", async () => {
    const { folder } = await written();
    const cancelled = () => Promise.reject(new HoldfastError("cancelled", "It was cancelled."));
    expect(await codeOf(files(folder, true, cancelled).isThere(FILE, README))).toBe("cancelled");
  });
});
