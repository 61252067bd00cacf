/** Whoever stops reading a bundle in the middle lets go of it: a reader that is left open holds the file. */
import { expect, suite, test } from "vitest";
import { BundleSource } from "../../src/exchange/bundle-source";
import { importBundle } from "../../src/exchange/import";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import { Work } from "../../src/exchange/work";
import { HoldfastError } from "../../src/errors";
import { openBundle } from "../../src/library/bundle";
import { exportRun, exportRuns } from "../support/bundles";
import { RecordingBlob } from "../support/recording-blob";
import { codeOf, sampleRequest, sampleRows } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

async function saved() {
  const store = await begun();
  for (const step of [1, 2])
    await store.manager.save(store.lease, sampleRequest(step, sampleRows(step, step)));
  return store;
}

async function recorded(file: Blob, change: (bytes: Uint8Array) => void = () => undefined) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  change(bytes);
  return new RecordingBlob([bytes]);
}

/** A store that takes so many writes and no more. */
function roomFor(writes: number): StoreParts {
  const parts = partsOn(new SimulatedDisk());
  let left = writes;
  const create = parts.packs.create.bind(parts.packs);
  parts.packs.create = async () => {
    const writer = await create();
    const append = writer.append.bind(writer);
    writer.append = (bytes) =>
      left-- > 0 ? append(bytes) : Promise.reject(new HoldfastError("quota", "no room"));
    return writer;
  };
  return parts;
}

suite("a bundle that is read", () => {
  test.each([{}, { isCompact: true }])(
    "is let go of, wherever a byte of it is wrong, and where nothing is: %j",
    async (form) => {
      const { manager, parts } = await saved();
      const file = await exportRuns(manager, parts, [RUN], form);
      for (let at = 0; at < file.size; at += 131) {
        const damaged = await recorded(file, (bytes) => {
          bytes[at]! ^= 1 << (at % 8);
        });
        expect(await codeOf(openBundle(damaged))).toBe("corrupt");
        expect(damaged.open).toBe(0);
      }
      const whole = await recorded(file);
      const bundle = await openBundle(whole);
      await bundle.state(RUN, 2);
      expect(whole.opened).toBeGreaterThan(5);
      expect(whole.open).toBe(0);
    },
  );

  test("is let go of where nobody wants the rest, and where its run cannot be written", async () => {
    const { manager, parts } = await saved();
    const file = await exportRun(manager, parts, RUN);
    let heard = 0;
    for (let stop = 1; heard >= stop - 1; stop += 1) {
      const watched = await recorded(file);
      const ending = new AbortController();
      heard = 0;
      const progress = () => {
        heard += 1;
        if (heard === stop) ending.abort();
      };
      await openBundle(watched, { signal: ending.signal, progress }).catch(() => undefined);
      expect(watched.open).toBe(0);
    }
    expect(heard).toBeGreaterThan(3);
  });

  test("is let go of where its run cannot be written, whichever write it is that fails", async () => {
    const { manager, parts } = await saved();
    const file = await exportRun(manager, parts, RUN);
    let failed = 0;
    for (let budget = 1; ; budget += 3) {
      const written = await recorded(file);
      const full = roomFor(budget);
      const code = await codeOf(importBundle(new CheckpointManager(full), full, written));
      expect(written.open).toBe(0);
      if (code === "no error") break;
      expect(code).toBe("quota");
      failed += 1;
    }
    expect(failed).toBeGreaterThan(5);
  });

  test("control: a checkpoint that is opened and left so is still open", async () => {
    const { manager, parts } = await saved();
    const file = await recorded(await exportRun(manager, parts, RUN));
    const source = await BundleSource.open(file);
    const run = source.runs[0]!;
    const { close } = await source.checkpoint(run, run.checkpoints[1]!, new Work({}, 0));
    expect(file.open).toBe(1);
    await close();
    expect(file.open).toBe(0);
  });
});
