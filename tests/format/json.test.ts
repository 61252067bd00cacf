import fc from "fast-check";
import { expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { encodeJson, parseJson } from "../../src/format/json";
import { failure } from "./support";

const utf8 = (text: string) => new TextEncoder().encode(text);
const read = (text: string, maxBytes = 1 << 20) => parseJson(utf8(text), "The test", maxBytes);

suite("canonical JSON", () => {
  test("sorts keys at every depth and has no spaces", () => {
    const value = { b: [{ z: 1, a: null }], a: "ü", c: undefined };
    expect(new TextDecoder().decode(encodeJson(value))).toBe('{"a":"ü","b":[{"a":null,"z":1}]}');
  });

  test("comes back as the same value, and writes the same bytes again", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
        const bytes = encodeJson(value);
        const back = parseJson(bytes, "The test", 1 << 24);
        expect(JSON.stringify(back)).toBe(new TextDecoder().decode(bytes));
        expect(encodeJson(back)).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test.each([Number.NaN, Infinity, { a: [() => 1] }, { a: 1n }, "\ud800", [undefined]])(
    "refuses what it would change: %o",
    (value) => {
      expect(failure(() => encodeJson(value)).code).toBe("invalid");
    },
  );

  test("keeps __proto__ a plain key: nothing gets a prototype from it", () => {
    const bytes = encodeJson(JSON.parse('{"__proto__":{"polluted":1}}'));
    expect(new TextDecoder().decode(bytes)).toBe('{"__proto__":{"polluted":1}}');
  });
});

suite("reading JSON", () => {
  test.each([
    ["a key twice", '{"a":1,"a":2}'],
    ["a key twice, once escaped", '{"a":1,"\\u0061":2}'],
    ["a key twice, with space before the colon", '{"a" :1,"b":{},"a"\n:2}'],
    ["a key twice, further in", '[{"x":{"a":[],"b":0,"a":[]}}]'],
    ["nesting without an end", "[".repeat(100_000)],
    ["nesting that is closed", "[".repeat(17) + "]".repeat(17)],
    ["nothing", ""],
    ["half of it", '{"a":'],
    ["something behind it", "{}x"],
    ["NaN", "NaN"],
    ["a byte order mark", "\ufeff{}"],
  ])("refuses %s", (_what, text) => {
    expect(failure(() => read(text)).code).toBe("corrupt");
  });

  test("refuses what is not UTF-8, and what is too long", () => {
    expect(failure(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), "The test", 100)).code).toBe("corrupt");
    expect(failure(() => parseJson(utf8('"abc"'), "The test", 4)).code).toBe("corrupt");
  });

  test("is not misled by brackets, colons and keys in texts", () => {
    const value = {
      a: '{"a":1,"a":2}[[[[[[[[[[[[[[[[[[[[',
      'b":': '\\"a":',
      c: { a: 1 },
      d: [{ a: 1 }, { a: 1 }, "a", "a"],
    };
    expect(parseJson(encodeJson(value), "The test", 1000)).toEqual(value);
  });

  test("takes the same key in different objects, and 16 levels", () => {
    expect(read('{"a":{"a":{"a":1}},"b":{"a":1}}')).toEqual({ a: { a: { a: 1 } }, b: { a: 1 } });
    expect(read("[".repeat(16) + "]".repeat(16))).toBeInstanceOf(Array);
  });

  test("any text gives a value or a typed error", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\a1u0 '.split("")) }), (text) => {
        try {
          read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(HoldfastError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("passes over each character once: what makes a regular expression quadratic ends in time", () => {
    const million = 1_000_000;
    const hostile = [
      '"'.repeat(million + 1),
      "\\".repeat(million),
      `"${'\\"'.repeat(million)}`,
      '"a"    '.repeat(million / 7),
    ];
    for (const text of hostile) expect(failure(() => read(text, 1 << 24)).code).toBe("corrupt");
  });

  test("takes a text of many megabytes", () => {
    const value = { a: '"\\x'.repeat(2_000_000) };
    expect(parseJson(encodeJson(value), "The test", 1 << 24)).toEqual(value);
  });
});
