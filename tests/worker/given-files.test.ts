import { gzipSync, zipSync } from "fflate";
import { expect, suite, test } from "vitest";
import { unpacked } from "../../src/worker/given-files";

const KIB = 1024;
const text = (words: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(words));
const file = (path: string, bytes: Uint8Array<ArrayBuffer>) => ({ path, file: new Blob([bytes]) });
const words = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

suite("files that were brought", () => {
  test("come as they are, by path, without what the system put there", async () => {
    const found = await unpacked(
      [file("b/two.txt", text("2")), file("a/one.txt", text("1")), file("a/.DS_Store", text("x"))],
      KIB,
    );
    expect(found.map(({ path, bytes }) => [path, words(bytes)])).toEqual([
      ["a/one.txt", "1"],
      ["b/two.txt", "2"],
    ]);
  });

  test("come out of ZIP archives, deflated or stored, and out of gzip", async () => {
    const archive = owned(
      zipSync({
        "cats/1.txt": text("meow"),
        "dogs/": new Uint8Array(),
        "dogs/1.txt": [text("woof"), { level: 0 }],
        "__MACOSX/cats/._1.txt": text("x"),
      }),
    );
    const found = await unpacked(
      [file("pets.zip", archive), file("more.csv.gz", owned(gzipSync(text("a,b"))))],
      KIB,
    );
    expect(found.map(({ path, bytes }) => [path, words(bytes)])).toEqual([
      ["cats/1.txt", "meow"],
      ["dogs/1.txt", "woof"],
      ["more.csv", "a,b"],
    ]);
  });

  test.each([
    ["a file", file("large.txt", new Uint8Array(2 * KIB)), /more than 0.0009765625 MiB at "large.txt"/],
    ["a gzipped one", file("zeros.gz", owned(gzipSync(new Uint8Array(64 * KIB)))), /at "zeros.gz", unpacked/],
    [
      "an archive",
      file("bomb.zip", owned(zipSync({ a: new Uint8Array(64 * KIB) }))),
      /at "bomb.zip\/a", unpacked/,
    ],
  ])("%s may not be more than the task takes, however small it comes", async (_, given, said) => {
    await expect(unpacked([given], KIB)).rejects.toThrow(said);
  });

  test("one that is too large is not even read", async () => {
    let read = 0;
    const large = new Blob([new Uint8Array(2 * KIB)]);
    large.arrayBuffer = () => {
      read += 1;
      return Promise.resolve(new ArrayBuffer(2 * KIB));
    };
    const given = [{ path: "large.csv", file: large }];
    await expect(unpacked(given, KIB)).rejects.toThrow(/that is the limit of this task.*Choose a part of it/);
    expect(read).toBe(0);
    // Control: what is just as large as may be is.
    expect((await unpacked(given, 2 * KIB))[0]?.bytes).toHaveLength(2 * KIB);
    expect(read).toBe(1);
  });

  test("an archive that says less than it holds gives no more than it says", async () => {
    const archive = owned(zipSync({ a: new Uint8Array(64 * KIB) }));
    const view = new DataView(archive.buffer);
    // The central directory's size of the entry, unpacked.
    const central = archive.findIndex(
      (_, i) => i + 4 <= archive.length && view.getUint32(i, true) === 0x02014b50,
    );
    view.setUint32(central + 24, 16, true);
    const outcome = await unpacked([file("lying.zip", archive)], KIB).then(
      ([only]) => only?.bytes.length ?? 0,
      () => 0,
    );
    expect(outcome).toBeLessThanOrEqual(16);
  });

  test.each([
    [
      "cut off",
      owned(zipSync({ a: text("meow") })).slice(0, 40),
      /"x" is a ZIP archive that cannot be unpacked/,
    ],
    ["damaged", Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3), /"x" is gzipped, but damaged/],
  ])("what is %s is named", async (_, bytes, said) => {
    await expect(unpacked([file("x", bytes)], KIB)).rejects.toThrow(said);
  });

  test("nothing at all is said to be nothing", async () => {
    await expect(unpacked([file("__MACOSX/x", text("1"))], KIB)).rejects.toThrow(/There is no file in it/);
  });
});
