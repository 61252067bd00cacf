/** The control of `damage.test.ts`: without the frame's checks, a flipped byte comes back as other weights. */
import { expect, test, vi } from "vitest";
import { decodeChunk } from "../../src/format/codec";
import type * as Frame from "../../src/format/frame";
import { digestOf } from "../../src/format/digest";
import { sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { begun, RUN } from "../support/store-parts";

vi.mock("../../src/format/frame", async (original) => {
  const frame = await original<typeof Frame>();
  return {
    ...frame,
    openFrame: (bytes: Uint8Array<ArrayBuffer>) => {
      const header = frame.parseFrameHeader(bytes);
      const stored = bytes.subarray(frame.FRAME_HEADER_BYTES, frame.FRAME_HEADER_BYTES + header.storedLength);
      return { header, stored };
    },
    contentOf: ({ header, stored }: Frame.Frame) => {
      const raw = new Uint8Array(header.rawLength);
      decodeChunk(header.codec, stored, raw);
      return Promise.resolve(raw);
    },
  };
});

test("control: without a check of the content, a flipped byte is restored as if it were right", async () => {
  const { manager, lease, disk } = await begun();
  await manager.save(lease, sampleRequest(2, sampleRows(1, 2)));
  const { manifest } = await manager.read(RUN, 2);
  const chunk = manifest.chunks[0]!;
  disk.files.get(chunk.pack)!.bytes[chunk.offset + 200]! ^= 1;
  const { checkpoint, state, skipped } = await manager.restore(RUN);
  expect(checkpoint.step).toBe(2);
  expect(skipped).toEqual([]);
  expect(await digestOf(state)).not.toBe(await digestOf(sampleState(2)));
});
