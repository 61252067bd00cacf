import { expect, test } from "vitest";
import { decodedImages } from "../../src/tasks/decoded-images";

const PIXELS = 32 * 32;
/** In place of a browser: a file of one byte is an image of that grey, one of three that colour, all else is none. */
const decode = (bytes: Uint8Array): Promise<Uint8ClampedArray | null> => {
  const [red = 0, green = red, blue = red] = bytes;
  if (bytes.length !== 1 && bytes.length !== 3) return Promise.resolve(null);
  return Promise.resolve(
    Uint8ClampedArray.from({ length: 4 * PIXELS }, (_, i) => [red, green, blue, 255][i % 4] ?? 0),
  );
};
const file = (path: string, ...bytes: readonly number[]) => ({ path, bytes: Uint8Array.from(bytes) });

test("the folder is the class; what is no image is left out by name", async () => {
  const { set, notes } = await decodedImages(
    [
      file("pets/cats/1.png", 10),
      file("pets/dogs/1.png", 20),
      file("pets/dogs/2.png", 30),
      file("pets/read.me"),
    ],
    decode,
  );
  expect(set).toMatchObject({ width: 32, height: 32, channels: 1, classes: ["cats", "dogs"] });
  expect([...set.labels]).toEqual([0, 1, 1]);
  expect([0, PIXELS, 2 * PIXELS].map((i) => set.pixels[i])).toEqual([10, 20, 30]);
  expect(notes).toEqual([
    "Scaled to 32 × 32, whole, on black, grey.",
    "“pets/read.me” is left out: it is no image that this browser can read.",
  ]);
});

test("one image in colour makes all of them coloured", async () => {
  const { set } = await decodedImages([file("a/1", 10), file("b/1", 1, 2, 3)], decode);
  expect(set.channels).toBe(3);
  expect([...set.pixels.subarray(0, 3)]).toEqual([10, 10, 10]);
  expect([...set.pixels.subarray(-3)]).toEqual([1, 2, 3]);
});

test.each([
  ["no image", [file("a/1"), file("b/1")], /None of the files is an image.*“a\/1” the first/],
  ["one class", [file("a/1", 1), file("a/2", 2)], /2 images of one class \(“a”\)/],
])("%s is refused", async (_, files, said) => {
  await expect(decodedImages(files, decode)).rejects.toThrow(said);
});

test("of many that are left out, a few are named and the others counted", async () => {
  const bad = Array.from({ length: 8 }, (_, i) => file(`a/${i}`));
  const { notes } = await decodedImages([...bad, file("a/x", 1), file("b/x", 2)], decode);
  expect(notes).toHaveLength(7);
  expect(notes.at(-1)).toBe("So are 3 more.");
});
