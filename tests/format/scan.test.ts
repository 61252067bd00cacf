import { beforeAll, expect, suite, test } from "vitest";
import { concat, sha256, type Bytes } from "../../src/format/bytes";
import { CODEC_STORED } from "../../src/format/codec";
import { encodeFrame, FRAME_HEADER_BYTES } from "../../src/format/frame";
import { scanFrames } from "../../src/format/scan";
import { words, withBitFlipped } from "./support";

async function frameOf(sequence: number, raw: Bytes): Promise<Bytes> {
  const fields = { type: "data", run: "r1", epoch: 1, codec: CODEC_STORED } as const;
  return encodeFrame({ ...fields, sequence, rawLength: raw.length, hash: await sha256(raw) }, raw);
}

const START = 16;
let frames: Bytes[];
let pack: Bytes;
let offsets: number[];

beforeAll(async () => {
  const next = words(5);
  frames = [];
  for (const [index, length] of [40, 3, 0, 77].entries()) {
    frames.push(
      await frameOf(
        index,
        Uint8Array.from({ length }, () => next()),
      ),
    );
  }
  pack = concat([new Uint8Array(START).fill(1), ...frames]);
  offsets = [];
  let at = START;
  for (const frame of frames) {
    offsets.push(at);
    at += frame.length;
  }
});

/** Sequence numbers of the frames found. */
function found(bytes: Bytes): number[] {
  return scanFrames(bytes, START).frames.map((frame) => frame.header.sequence);
}

/** Every byte from the start on is in exactly one frame or damaged stretch, or is a zero at the end. */
function covered(bytes: Bytes): boolean {
  const scan = scanFrames(bytes, START);
  const ranges = [...scan.frames, ...scan.damaged].toSorted((a, b) => a.offset - b.offset);
  let at = START;
  for (const { offset, length } of ranges) {
    if (offset !== at || length <= 0) return false;
    at += length;
  }
  return bytes.subarray(at).every((byte) => byte === 0);
}

suite("a scan", () => {
  test("finds every frame of a whole pack, and nothing else", () => {
    const scan = scanFrames(pack, START);
    expect(scan.frames.map((frame) => frame.offset)).toEqual(offsets);
    expect(scan.frames.map((frame) => frame.length)).toEqual(frames.map((frame) => frame.length));
    expect(scan.damaged).toEqual([]);
    expect(scanFrames(new Uint8Array(0))).toEqual({ frames: [], damaged: [] });
  });

  test("takes zeros at the end for free space", () => {
    const scan = scanFrames(concat([pack, new Uint8Array(1000)]), START);
    expect(scan.frames.length).toBe(4);
    expect(scan.damaged).toEqual([]);
  });

  test("with any one bit flipped loses that frame only, and names the stretch", () => {
    for (let bit = 8 * START; bit < 8 * pack.length; bit++) {
      const bytes = withBitFlipped(pack, bit);
      const hit = offsets.findLastIndex((offset) => offset <= bit >> 3);
      expect(found(bytes)).toEqual([0, 1, 2, 3].filter((each) => each !== hit));
      const { damaged } = scanFrames(bytes, START);
      expect(damaged).toEqual([{ offset: offsets[hit], length: frames[hit]?.length }]);
    }
  });

  test("of a pack torn at any byte finds what is whole", () => {
    for (let length = START; length < pack.length; length++) {
      const whole = offsets.filter((offset, index) => offset + frames[index]!.length <= length).length;
      const bytes = pack.slice(0, length);
      expect(found(bytes)).toEqual([0, 1, 2, 3].slice(0, whole));
      expect(covered(bytes)).toBe(true);
    }
  });

  test("goes on behind a hole, wherever the hole is", () => {
    const next = words(11);
    for (let round = 0; round < 500; round++) {
      const from = START + (next() % (pack.length - START));
      const to = Math.min(pack.length, from + (next() % 200));
      const bytes = pack.slice();
      for (let at = from; at < to; at++) bytes[at] = next();
      const whole = offsets.flatMap((offset, index) => {
        const end = offset + frames[index]!.length;
        return end <= from || offset >= to ? [index] : [];
      });
      expect(found(bytes)).toEqual(expect.arrayContaining(whole));
      expect(covered(bytes)).toBe(true);
    }
  });

  test("believes no length: one that reaches over the next frame hides nothing", async () => {
    const liar = (await frameOf(9, new Uint8Array(500).fill(7))).slice(0, FRAME_HEADER_BYTES + 8);
    const bytes = concat([pack.subarray(0, START), liar, ...frames]);
    expect(found(bytes)).toEqual([0, 1, 2, 3]);
  });

  test("does not take a frame inside a payload for one of ours", async () => {
    const inner = await frameOf(66, Uint8Array.of(6, 6));
    const outer = await frameOf(4, concat([inner, inner]));
    const bytes = concat([pack, outer, frames[0]!]);
    expect(found(bytes)).toEqual([0, 1, 2, 3, 4, 0]);
    // Damaged payload, whole header: still stepped over.
    const at = pack.length + outer.length - 24;
    expect(found(withBitFlipped(bytes, 8 * at))).toEqual([0, 1, 2, 3, 0]);
  });

  test("finds frames in noise in time that grows with its length only", () => {
    const noise = new Uint8Array(1 << 20).fill(0x89);
    expect(scanFrames(noise).damaged).toEqual([{ offset: 0, length: noise.length }]);
  });
});
