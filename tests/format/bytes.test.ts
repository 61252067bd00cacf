import { expect, suite, test } from "vitest";
import { ByteReader, ByteWriter } from "../../src/format/byte-cursor";
import { align8, bytesOf, concat, equalBytes, fromHex, sha256, toHex } from "../../src/format/bytes";
import { crc32c } from "../../src/format/crc";
import { failure } from "./support";

const ascii = (text: string) => new TextEncoder().encode(text);

suite("crc32c", () => {
  test.each([
    // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
    ["123456789", ascii("123456789"), 0xe3069283],
    ["32 zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["0 … 31", Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd794e],
    ["31 … 0", Uint8Array.from({ length: 32 }, (_, at) => 31 - at), 0x113fdb5c],
    ["nothing", new Uint8Array(0), 0],
  ])("of %s is the published value", (_name, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  test("goes on from a seed, wherever the bytes are cut", () => {
    const bytes = Uint8Array.from({ length: 61 }, (_, at) => (at * 37) & 255);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).toBe(crc32c(bytes));
    }
  });

  test("changes with any one bit", () => {
    const bytes = Uint8Array.from({ length: 29 }, (_, at) => at * 11);
    const before = crc32c(bytes);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(crc32c(bytes)).not.toBe(before);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });
});

test("sha256 of “abc” is the published value, from a view too", async () => {
  const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(toHex(await sha256(ascii("xabcx").subarray(1, 4)))).toBe(expected);
});

suite("hexadecimal", () => {
  test("goes there and back", () => {
    const all = Uint8Array.from({ length: 256 }, (_, at) => at);
    expect(fromHex(toHex(all))).toEqual(all);
    expect(toHex(Uint8Array.of(0, 15, 255))).toBe("000fff");
  });

  test.each(["0", "0g", "AB", "+1", " 1"])("refuses %j", (text) => {
    expect(failure(() => fromHex(text)).code).toBe("corrupt");
  });
});

test("the bytes of a typed array are a view of just its stretch", () => {
  const whole = new Float32Array([1, 2, 3]);
  const bytes = bytesOf(whole.subarray(1, 2));
  expect([...bytes]).toEqual([0, 0, 0, 0x40]);
  bytes[3] = 0xc0;
  expect(whole[1]).toBe(-2);
});

test("parts are joined, compared and aligned", () => {
  expect(concat([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)])).toEqual(Uint8Array.of(1, 2, 3));
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
  expect([0, 1, 7, 8, 9, 2 ** 33 + 1].map(align8)).toEqual([0, 8, 8, 8, 16, 2 ** 33 + 8]);
});

suite("the cursor", () => {
  test("reads what was written, little endian, in a buffer that grew", () => {
    const out = new ByteWriter(1);
    out
      .u8(0xfe)
      .u16(0x1234)
      .u32(0xdeadbeef)
      .u64(Number.MAX_SAFE_INTEGER)
      .f64(-0)
      .bytes(Uint8Array.of(7))
      .zeros(2);
    const bytes = out.finish();
    expect(toHex(bytes)).toBe(
      "fe" + "3412" + "efbeadde" + "ffffffffffff1f00" + "0000000000000080" + "07" + "0000",
    );
    const reader = new ByteReader(bytes, "test");
    expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([
      0xfe,
      0x1234,
      0xdeadbeef,
      Number.MAX_SAFE_INTEGER,
    ]);
    expect(Object.is(reader.f64(), -0)).toBe(true);
    expect([reader.peek(1)[0], reader.bytes(1)[0], reader.remaining, reader.offset]).toEqual([7, 7, 2, 24]);
  });

  test("past the end is corrupt, names the thing, and moves nothing", () => {
    const reader = new ByteReader(new Uint8Array(3), "The header of a test");
    const error = failure(() => reader.u32());
    expect(error.code).toBe("corrupt");
    expect(error.message).toContain("The header of a test");
    expect(failure(() => reader.bytes(-1)).code).toBe("corrupt");
    expect(failure(() => reader.bytes(Number.NaN)).code).toBe("corrupt");
    expect(reader.u16()).toBe(0);
  });

  test("a number above 2^53 - 1 is corrupt", () => {
    const bytes = new Uint8Array(8);
    bytes[6] = 0x20;
    expect(failure(() => new ByteReader(bytes, "test").u64()).code).toBe("corrupt");
  });

  test.each([
    ["u8", 256],
    ["u16", -1],
    ["u32", 2 ** 32],
    ["u64", 2 ** 53],
    ["u32", 1.5],
    ["u32", Number.NaN],
  ] as const)("%s refuses %d", (field, value) => {
    expect(failure(() => new ByteWriter()[field](value)).code).toBe("invalid");
  });
});
