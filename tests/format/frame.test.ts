import { beforeAll, expect, suite, test } from "vitest";
import { concat, sha256, toHex, type Bytes } from "../../src/format/bytes";
import { crc32c } from "../../src/format/crc";
import { ChunkEncoder, CODEC_STORED } from "../../src/format/codec";
import {
  contentOf,
  encodeFrame,
  encodeFrameHeader,
  FRAME_HEADER_BYTES,
  FRAME_TRAILER_BYTES,
  frameBytes,
  MAX_PAYLOAD_BYTES,
  openFrame,
  parseFrameHeader,
  type FrameHeader,
} from "../../src/format/frame";
import { readyZstd } from "../../src/format/zstd";
import { failure, rejection, withBitFlipped } from "./support";

beforeAll(readyZstd);

const header: FrameHeader = {
  type: "commit",
  run: "r0123456789abcdef",
  epoch: 7,
  sequence: 2 ** 40 + 1,
  codec: CODEC_STORED,
  rawLength: 5,
  storedLength: 5,
  hash: Uint8Array.from({ length: 32 }, (_, at) => at),
};

async function frameOf(raw: Bytes, sequence = 1): Promise<Bytes> {
  const { codec, bytes } = new ChunkEncoder().encode(raw, "byte", null);
  const fields = { type: "chunk", run: "r1", epoch: 1, sequence, codec, rawLength: raw.length } as const;
  return encodeFrame({ ...fields, hash: await sha256(raw) }, bytes);
}

/** All that is checked of a frame, from magic to content. */
async function whole(bytes: Bytes): Promise<{ readonly header: FrameHeader; readonly raw: Bytes }> {
  const frame = openFrame(bytes);
  return { header: frame.header, raw: await contentOf(frame) };
}

/** Writes the checksum anew, as a hostile writer would. */
function resealed(head: Bytes, change: (view: DataView) => void): Bytes {
  const copy = head.slice();
  const view = new DataView(copy.buffer);
  change(view);
  view.setUint32(FRAME_HEADER_BYTES - 4, crc32c(copy.subarray(0, FRAME_HEADER_BYTES - 4)), true);
  return copy;
}

suite("a frame's header", () => {
  test("has the byte table of docs/format.md", () => {
    const bytes = encodeFrameHeader(header);
    expect(bytes.length).toBe(FRAME_HEADER_BYTES);
    expect(toHex(bytes.subarray(0, 100))).toBe(
      [
        "89484652" + "4d0d0a1a", // 0 magic
        "0100", // 8 version
        "02", // 10 type
        "00", // 11 codec
        "00000000", // 12 reserved
        "0700000000000000", // 16 epoch
        "0100000000010000", // 24 sequence
        "05000000", // 32 raw length
        "05000000", // 36 stored length
        `7230313233343536373839616263646566${"00".repeat(7)}`, // 40 run
        toHex(header.hash), // 64 hash
        "00000000", // 96 reserved
      ].join(""),
    );
    expect(new DataView(bytes.buffer).getUint32(100, true)).toBe(crc32c(bytes.subarray(0, 100)));
  });

  test("goes there and back, at any offset", () => {
    const bytes = encodeFrameHeader(header);
    expect(parseFrameHeader(bytes)).toEqual(header);
    expect(parseFrameHeader(concat([new Uint8Array(24), bytes]), 24)).toEqual(header);
  });

  test("any one flipped bit is corrupt", () => {
    const bytes = encodeFrameHeader(header);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      expect(failure(() => parseFrameHeader(withBitFlipped(bytes, bit))).code).toBe("corrupt");
    }
  });

  test("any truncation is corrupt", () => {
    const bytes = encodeFrameHeader(header);
    for (let length = 0; length < bytes.length; length++) {
      expect(failure(() => parseFrameHeader(bytes.subarray(0, length))).code).toBe("corrupt");
    }
  });

  test("of a newer version, type or field is unsupported, with a right checksum only", () => {
    const bytes = encodeFrameHeader(header);
    const newer = [
      resealed(bytes, (view) => view.setUint16(8, 2, true)),
      resealed(bytes, (view) => view.setUint8(10, 200)),
      resealed(bytes, (view) => view.setUint32(12, 1, true)),
      resealed(bytes, (view) => view.setUint32(96, 1, true)),
    ];
    for (const each of newer) expect(failure(() => parseFrameHeader(each)).code).toBe("unsupported");
  });

  test("with a right checksum over nonsense is corrupt", () => {
    const bytes = encodeFrameHeader(header);
    const nonsense = [
      resealed(bytes, (view) => view.setUint16(8, 0, true)),
      resealed(bytes, (view) => view.setUint32(20, 0xffffffff, true)),
      resealed(bytes, (view) => view.setUint32(28, 0x00200000, true)),
      resealed(bytes, (view) => view.setUint32(32, MAX_PAYLOAD_BYTES + 1, true)),
      resealed(bytes, (view) => view.setUint32(36, MAX_PAYLOAD_BYTES + 1, true)),
      resealed(bytes, (view) => view.setUint8(41, 0x2f)),
      resealed(bytes, (view) => view.setUint8(41, 0)),
    ];
    for (const each of nonsense) expect(failure(() => parseFrameHeader(each)).code).toBe("corrupt");
  });

  test.each<[string, Partial<FrameHeader>]>([
    ["a run id with other characters", { run: "r/.." }],
    ["a run id that is too long", { run: "r".repeat(25) }],
    ["a hash of another length", { hash: new Uint8Array(31) }],
    ["a negative epoch", { epoch: -1 }],
    ["a sequence above 2^53 - 1", { sequence: 2 ** 53 }],
    ["a payload longer than a pack", { rawLength: MAX_PAYLOAD_BYTES + 1 }],
  ])("is refused with %s", (_what, field) => {
    expect(failure(() => encodeFrameHeader({ ...header, ...field })).code).toBe("invalid");
  });
});

suite("a whole frame", () => {
  test("is a multiple of 8 bytes and gives its content back, for every length up to 20", async () => {
    for (let length = 0; length <= 20; length++) {
      const raw = Uint8Array.from({ length }, (_, at) => at + 1);
      const bytes = await frameOf(raw);
      expect(bytes.length % 8).toBe(0);
      expect(bytes.length).toBe(frameBytes(length));
      expect((await whole(bytes)).raw).toEqual(raw);
    }
    expect(frameBytes(1)).toBe(FRAME_HEADER_BYTES + 8 + FRAME_TRAILER_BYTES);
  });

  test("with a compressed payload gives its content back", async () => {
    const raw = new Uint8Array(5000).fill(3);
    const { header: found, raw: back } = await whole(await frameOf(raw));
    expect(found.storedLength).toBeLessThan(200);
    expect(back).toEqual(raw);
  });

  test("any one flipped bit is corrupt, in header, payload, padding and trailer", async () => {
    const bytes = await frameOf(Uint8Array.of(1, 2, 3, 4, 5));
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      expect((await rejection(whole(withBitFlipped(bytes, bit)))).code).toBe("corrupt");
    }
  });

  test("any truncation and anything behind it is corrupt", async () => {
    const bytes = await frameOf(Uint8Array.of(1, 2, 3, 4, 5));
    for (let length = 0; length < bytes.length; length++) {
      expect((await rejection(whole(bytes.slice(0, length)))).code).toBe("corrupt");
    }
    expect((await rejection(whole(concat([bytes, new Uint8Array(8)])))).code).toBe("corrupt");
  });

  test("that claims more than it has is corrupt before there is memory for it", async () => {
    const raw = Uint8Array.of(1, 2, 3);
    const claim = { ...header, rawLength: MAX_PAYLOAD_BYTES, hash: await sha256(raw) };
    const error = await rejection(whole(encodeFrame(claim, raw)));
    expect(error.code).toBe("corrupt");
    expect(error.message).toContain("it records 67108864 bytes and has 3");
  });

  test("with right checksums over other content fails its hash: the CRC alone would let it pass", async () => {
    const right = await frameOf(Uint8Array.of(1, 2, 3));
    const { header: fields } = await whole(right);
    const forged = encodeFrame(fields, Uint8Array.of(1, 2, 4));
    const error = await rejection(whole(forged));
    expect(error.code).toBe("corrupt");
    expect(error.message).toContain("hash");
  });
});
