import { expect, suite, test } from "vitest";
import { imagesOfIdx, isIdx } from "../../src/tasks/idx";

const images = (path: string, pixels: readonly number[], height = 1, width = 2) => {
  const bytes = new Uint8Array(16 + pixels.length);
  const view = new DataView(bytes.buffer);
  [0x0803, pixels.length / (height * width), height, width].forEach((value, i) => {
    view.setUint32(4 * i, value);
  });
  bytes.set(pixels, 16);
  return { path, bytes };
};
const labels = (path: string, values: readonly number[]) => {
  const bytes = new Uint8Array(8 + values.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0801);
  view.setUint32(4, values.length);
  bytes.set(values, 8);
  return { path, bytes };
};
const cut = (file: ReturnType<typeof labels>) => ({ ...file, bytes: file.bytes.slice(0, -1) });

test("pairs are joined in the order of their paths", () => {
  const set = imagesOfIdx([
    images("a-images", [1, 2, 3, 4]),
    labels("a-labels", [0, 2]),
    images("b-images", [5, 6]),
    labels("b-labels", [1]),
  ]);
  expect(set).toEqual({
    width: 2,
    height: 1,
    channels: 1,
    classes: ["0", "1", "2"],
    labels: Uint16Array.of(0, 2, 1),
    pixels: Uint8Array.of(1, 2, 3, 4, 5, 6),
  });
});

test("they are known by their first bytes, and nothing else is", () => {
  expect([images("a", [1, 2]), labels("b", [1])].map(isIdx)).toEqual([true, true]);
  expect(isIdx({ path: "c", bytes: Uint8Array.of(0, 0) })).toBe(false);
  expect(isIdx({ path: "d.idx3-ubyte", bytes: Uint8Array.of(0x89, 0x50, 0x4e, 0x47) })).toBe(false);
});

suite("named, with the reason", () => {
  const pair = [images("i", [1, 2]), labels("l", [0])] as const;
  test.each<[string, Parameters<typeof imagesOfIdx>[0], RegExp]>([
    ["images alone", [pair[0]], /1 IDX files of images and 0 of labels \("i"\)/],
    ["labels alone", [pair[1]], /0 IDX files of images and 1 of labels/],
    ["images that are cut off", [cut(pair[0]), pair[1]], /"i" is 17 bytes long and says that it has 18/],
    ["labels that are cut off", [pair[0], cut(pair[1])], /"l" is 8 bytes long and says that it has 9/],
    [
      "a header that is cut off",
      [{ path: "i", bytes: pair[0].bytes.slice(0, 9) }, pair[1]],
      /says that it has 16/,
    ],
    ["labels of others", [pair[0], labels("l", [0, 1])], /"i" has 1 images and "l" 2 labels/],
    [
      "too large images",
      [images("i", new Array<number>(129).fill(0), 1, 129), pair[1]],
      /"i" are 129 × 1; from/,
    ],
    [
      "two sizes",
      [images("a", [1, 2]), images("b", [1, 2, 3], 1, 3), labels("c", [0]), labels("d", [0])],
      /"b" are 3 × 1, those of "a" 2 × 1/,
    ],
  ])("%s", (_, files, said) => {
    expect(() => imagesOfIdx(files)).toThrow(said);
  });
});
