import { expect, suite, test } from "vitest";
import { readImageSet, writeImageSet, type ImageSet } from "../../src/tasks/image-set";

const SET: ImageSet = {
  width: 2,
  height: 3,
  channels: 3,
  classes: ["Katze", "犬"],
  labels: Uint16Array.of(0, 1),
  pixels: Uint8Array.from({ length: 36 }, (_, i) => i),
};

test("what is written is read", () => {
  expect(readImageSet(writeImageSet(SET))).toEqual(SET);
});

suite("other bytes are refused", () => {
  const bytes = writeImageSet(SET);
  const changed = (at: number, value: number): Uint8Array<ArrayBuffer> =>
    bytes.map((byte, i) => (i === at ? value : byte));
  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["none", new Uint8Array(), /do not begin as images do/],
    ["others", changed(0, 0), /do not begin as images do/],
    ["of a later version", changed(4, 2), /version 2 is not known/],
    ["with two channels", changed(12, 2), /2 channels are neither 1 nor 3/],
    ["without width", changed(8, 0), /0 × 3 has no pixel/],
    ["one too few", bytes.slice(0, -1), /are not 78 bytes long/],
    ["one too many", Uint8Array.of(...bytes, 0), /are not 80 bytes long/],
    ["with more images than there are", changed(16, 3), /3 images of 2 × 3 × 3 are not/],
    ["with another count of classes", changed(14, 3), /there are not 3 names of classes/],
    ["with names that are no text", changed(24, 0x21), /names of the classes cannot be read/],
    ["with a label beyond the classes", changed(39, 9), /image 0 is of class 9, and there are 2/],
  ])("%s", (_, spoiled, said) => {
    expect(() => readImageSet(spoiled)).toThrow(said);
  });
});
