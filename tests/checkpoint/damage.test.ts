import { expect, suite, test } from "vitest";
import { encodeFrame, parseFrameHeader, FRAME_HEADER_BYTES } from "../../src/format/frame";
import { sha256 } from "../../src/format/bytes";
import { digestOf } from "../../src/format/digest";
import type { Place } from "../../src/format/stored";
import { codeOf, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { begun, RUN } from "../support/store-parts";

/** A run with S_0, S_2 and S_4, and the frames of S_4. */
async function threeCheckpoints() {
  const store = await begun();
  const { manager, lease, disk } = store;
  await manager.save(lease, sampleRequest(2, sampleRows(1, 2)));
  await manager.save(lease, sampleRequest(4, sampleRows(3, 4)));
  await manager.idle();
  const row = await disk.catalog.read((tx) => tx.at("checkpoints", RUN, 4));
  const { manifest } = await manager.read(RUN, 4);
  const { chunks } = manifest;
  const bytesOf = (place: Place) => {
    const file = disk.files.get(place.pack);
    if (file === undefined) throw new Error("no such pack");
    return file.bytes.subarray(place.offset, place.offset + place.length);
  };
  return { ...store, chunks, commit: row!.commit, bytesOf };
}

suite("a flipped byte", () => {
  test("anywhere in the newest checkpoint leads to the one before, and is named", async () => {
    const { manager, chunks, commit, bytesOf } = await threeCheckpoints();
    const older = await digestOf(sampleState(2));
    const { manifest: before } = await manager.read(RUN, 2);
    const own = chunks.filter((chunk) => !before.chunks.some(({ hash }) => hash === chunk.hash));
    expect(own.length).toBe(2);
    let flips = 0;
    for (const place of [...own, commit]) {
      const bytes = bytesOf(place);
      // Every byte of header and trailer, and of the payload each 5th.
      for (let at = 0; at < bytes.length; at += at < FRAME_HEADER_BYTES || at > bytes.length - 24 ? 1 : 5) {
        const mask = 1 << (flips++ % 8);
        bytes[at]! ^= mask;
        const { checkpoint, state, skipped } = await manager.restore(RUN);
        expect(checkpoint.step, `byte ${at} of ${bytes.length}`).toBe(2);
        expect(skipped.map(({ step }) => step)).toEqual([4]);
        expect(["corrupt", "unsupported"]).toContain(skipped[0]?.code);
        expect(await digestOf(state)).toBe(older);
        bytes[at]! ^= mask;
      }
    }
    expect(flips).toBeGreaterThan(700);
    expect((await manager.restore(RUN)).checkpoint.step).toBe(4);
  });

  test("in the pack's own header harms no checkpoint", async () => {
    const { manager, disk, commit } = await threeCheckpoints();
    disk.files.get(commit.pack)!.bytes[20]! ^= 1;
    expect((await manager.restore(RUN)).checkpoint.step).toBe(4);
  });

  test("in every checkpoint is said, and nothing is made up", async () => {
    const { manager, disk } = await threeCheckpoints();
    for (const file of disk.files.values())
      for (let at = 4096; at < file.bytes.length; at += 50) file.bytes[at]! ^= 1;
    expect(await codeOf(manager.restore(RUN))).toBe("missing");
    expect(await codeOf(manager.read(RUN, 4))).toBe("corrupt");
    await expect(manager.restore(RUN)).rejects.toThrow(/Step 4: .*Step 2: .*Step 0: /);
  });
});

suite("damage that was made to look right", () => {
  test("other content under the old checksums' places is not taken", async () => {
    const { manager, chunks, bytesOf } = await threeCheckpoints();
    const [place] = chunks;
    const bytes = bytesOf(place!);
    const header = parseFrameHeader(bytes.slice());
    const stored = bytes.slice(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + header.storedLength);
    stored[stored.length >> 1]! ^= 1;
    // A frame that is sound in itself, CRC and trailer too: only the hash of its content gives it away.
    bytes.set(encodeFrame(header, stored));
    expect((await manager.restore(RUN)).skipped[0]?.code).toBe("corrupt");
    // And with that hash made right, the manifest's does.
    bytes.set(
      encodeFrame({ ...header, codec: 0, rawLength: stored.length, hash: await sha256(stored) }, stored),
    );
    expect((await manager.restore(RUN)).skipped[0]?.code).toBe("corrupt");
  });

  test("an older chunk in the place of a newer one is not taken", async () => {
    const { manager, chunks, bytesOf } = await threeCheckpoints();
    const { manifest } = await manager.read(RUN, 2);
    const old = manifest.chunks[1]!;
    const young = chunks[1]!;
    expect(old.length).toBe(young.length);
    bytesOf(young).set(bytesOf(old));
    expect((await manager.restore(RUN)).skipped).toMatchObject([{ step: 4, code: "corrupt" }]);
  });

  test("a pack that is cut short, or gone, is damage too", async () => {
    const { manager, disk, commit } = await threeCheckpoints();
    const file = disk.files.get(commit.pack)!;
    const whole = file.bytes;
    file.bytes = whole.slice(0, commit.offset + 40);
    expect((await manager.restore(RUN)).checkpoint.step).toBe(2);
    disk.files.delete(commit.pack);
    const { checkpoint, skipped } = await manager.restore(RUN);
    expect(checkpoint.step).toBe(0);
    expect(skipped.map(({ code }) => code)).toEqual(["missing", "missing"]);
  });
});
