import { expect, test } from "vitest";
import { equalBytes, toHex, sha256 } from "../../src/format/bytes";
import { crc32c } from "../../src/format/crc";
import { CHUNK_BYTES } from "../../src/format/chunks";
import { ChunkEncoder, CODEC_DIFFERENCE, decodeChunk } from "../../src/format/codec";
import { digestOf } from "../../src/format/digest";
import { hasCode } from "../../src/errors";
import { compress, decompress, readyZstd } from "../../src/format/zstd";
import vectors from "../fixtures/format/digests.json";
import { smallState } from "./support";

test("the codec loads in a page and packs a full chunk there and back", async () => {
  await readyZstd();
  const before = Float32Array.from({ length: CHUNK_BYTES / 4 }, (_, at) => Math.sin(at) * 0.01);
  const reference = new Uint8Array(before.buffer);
  const raw = new Uint8Array(before.map((value) => value * 1.000001).buffer);
  const { codec, bytes } = new ChunkEncoder().encode(raw, "float32", reference);
  expect(codec).toBe(CODEC_DIFFERENCE);
  const back = new Uint8Array(raw.length);
  decodeChunk(codec, bytes, back, reference);
  expect(equalBytes(back, raw)).toBe(true);
});

test("garbage is corrupt, and the module works on", async () => {
  await readyZstd();
  const packed = compress(new Uint8Array(1000));
  try {
    decompress(packed.subarray(0, 12), 1000);
    expect.unreachable();
  } catch (error) {
    expect(hasCode(error, "corrupt")).toBe(true);
  }
  expect(decompress(packed, 1000).length).toBe(1000);
});

test("the digest of a known state is the one that Node and Python have", async () => {
  expect(await digestOf(smallState())).toBe(vectors.small);
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  expect(toHex(await sha256(new Uint8Array(0)))).toMatch(/^e3b0c442/);
});
