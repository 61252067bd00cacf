import { expect, test } from "vitest";
import { joined } from "../../src/tasks/given-text";

const utf8 = (words: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(words));

test("texts stand one after the other with an empty line between; the others are named with the byte", () => {
  const { bytes, notes } = joined([
    { path: "a.txt", bytes: utf8("one") },
    { path: "b.png", bytes: Uint8Array.of(0x89, 0x50) },
    { path: "c.bin", bytes: Uint8Array.of(0x41, 0) },
    { path: "d.txt", bytes: utf8("two") },
    { path: "e.txt", bytes: utf8("") },
  ]);
  expect(new TextDecoder().decode(bytes)).toBe("one\n\ntwo");
  expect(notes).toEqual([
    "2 files, one after the other with an empty line between.",
    "“b.png” is left out: it is no text in UTF-8 (byte 0).",
    "“c.bin” is left out: it is no text in UTF-8 (byte 1 is zero).",
  ]);
});

test("one file is what it is, to the byte", () => {
  const bytes = Uint8Array.of(0xff, 1);
  expect(joined([{ path: "a", bytes }])).toEqual({ bytes, notes: [] });
});

test("without any text it is refused", () => {
  const bytes = Uint8Array.of(0xff);
  expect(() =>
    joined([
      { path: "a", bytes },
      { path: "b", bytes },
    ]),
  ).toThrow(/None of the 2 files is a text in UTF-8: “a” is left out/);
});
