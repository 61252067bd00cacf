import { expect, suite, test } from "vitest";
import { toHex } from "../../src/format/bytes";
import { crc32c } from "../../src/format/crc";
import { encodePackHeader, PACK_HEADER_BYTES, parsePackHeader } from "../../src/format/pack-header";
import { failure, withBitFlipped } from "./support";

const header = { pack: "p-0a9z", epoch: 3, created: 1_700_000_000_000 };

suite("a pack header", () => {
  test("has the byte table of docs/format.md and goes there and back", () => {
    const bytes = encodePackHeader(header);
    expect(bytes.length).toBe(PACK_HEADER_BYTES);
    expect(toHex(bytes.subarray(0, 64))).toBe(
      [
        "894846504b0d0a1a", // 0 magic
        "0100", // 8 version
        "0000", // 10 reserved
        "06000000", // 12 length of the id
        `702d3061397a${"00".repeat(26)}`, // 16 id
        "0300000000000000", // 48 epoch
        "0068e5cf8b010000", // 56 created
      ].join(""),
    );
    expect(parsePackHeader(bytes)).toEqual(header);
  });

  test("is corrupt with any one bit flipped, in its empty part too", () => {
    const bytes = encodePackHeader(header);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      expect(failure(() => parsePackHeader(withBitFlipped(bytes, bit))).code).toBe("corrupt");
    }
  });

  test("is corrupt where it is cut off", () => {
    const bytes = encodePackHeader(header);
    for (let length = 0; length < bytes.length; length++) {
      expect(failure(() => parsePackHeader(bytes.subarray(0, length))).code).toBe("corrupt");
    }
  });

  test("of a newer version is unsupported", () => {
    const bytes = encodePackHeader(header);
    const view = new DataView(bytes.buffer);
    view.setUint16(8, 2, true);
    view.setUint32(PACK_HEADER_BYTES - 4, crc32c(bytes.subarray(0, PACK_HEADER_BYTES - 4)), true);
    expect(failure(() => parsePackHeader(bytes)).code).toBe("unsupported");
  });

  test.each(["", "P", "a/b", "p".repeat(33)])("refuses the id %j", (pack) => {
    expect(failure(() => encodePackHeader({ ...header, pack })).code).toBe("invalid");
  });
});
