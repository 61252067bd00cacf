import { expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import { givenText } from "../../src/tasks/given-text";

const MIB = 1024 * 1024;

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

suite("a text that can be read", () => {
  test("has its alphabet in code point order", () => {
    const { alphabet, text } = givenText(bytesOf("cab\nCab"), MIB);
    expect(alphabet).toEqual(["\n", "C", "a", "b", "c"]);
    expect(text).toBe("cab\nCab");
  });

  test("counts a character beyond the basic plane as one, in its place", () => {
    expect(givenText(bytesOf("é🙂a\uFF5E"), MIB).alphabet).toEqual(["a", "é", "\uFF5E", "🙂"]);
  });

  test("loses a byte order mark and keeps its line ends", () => {
    expect(givenText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a), MIB).alphabet).toEqual([
      "\n",
      "\r",
      "a",
    ]);
  });

  test("may use 512 different characters", () => {
    expect(givenText(bytesOf(letters(512)), MIB).alphabet).toHaveLength(512);
  });
});

suite("a text that cannot be read", () => {
  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["empty", new Uint8Array(), /empty/],
    ["over the limit", new Uint8Array(MIB + MIB / 2).fill(0x61), /is 1\.5 MiB; at most 1 MiB/],
    ["with a zero byte", Uint8Array.of(0x61, 0x62, 0, 0x63), /byte 2 is zero/],
    [
      "UTF-16",
      new Uint8Array(Uint16Array.from("hello", (letter) => letter.charCodeAt(0)).buffer),
      /byte 1 is zero.*UTF-16/,
    ],
    ["Latin-1", Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0x20), /byte 4 is not UTF-8/],
    ["with a stray continuation", Uint8Array.of(0x61, 0x80), /byte 1 is not UTF-8/],
    ["with a surrogate", Uint8Array.of(0x61, 0xed, 0xa0, 0x80), /byte 2 is not UTF-8/],
    ["overlong", Uint8Array.of(0xc0, 0xaf), /byte 0 is not UTF-8/],
    ["cut off in a character", bytesOf("ab🙂").subarray(0, 5), /byte 5 is not UTF-8/],
    ["of one character", bytesOf("aaaa"), /only one character/],
    ["with too many characters", bytesOf(letters(513)), /513 different characters/],
  ])("%s is refused with reason and place", (_, bytes, message) => {
    const attempt = (): unknown => givenText(bytes, MIB);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
  });
});

function letters(count: number): string {
  return Array.from({ length: count }, (_, i) => String.fromCodePoint(0x4e00 + i)).join("");
}
