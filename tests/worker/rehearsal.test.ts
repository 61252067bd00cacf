import { expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { rehearse } from "../../src/worker/rehearsal";
import { Visitor } from "../../src/worker/visitor";
import type { Environment } from "../../src/worker/protocol";
import { codeOf } from "../support/run-samples";
import { lived, LAST, RUN, ToyBench } from "../support/lived-run";

type Lived = Awaited<ReturnType<typeof lived>>;

function partsOf({ store, record }: Lived, environment: Environment = record.environment) {
  const benches: ToyBench[] = [];
  const parts = {
    storage: store,
    bench: () => {
      const bench = new ToyBench(environment);
      benches.push(bench);
      return Promise.resolve(bench);
    },
    goOn: () => undefined,
    now: () => 1_700_000_000_000,
    elapsed: () => 0,
  };
  return { parts, benches };
}

suite("a rehearsal", () => {
  test("goes to the next checkpoint where one is near, and compares the state", async () => {
    const run = await lived([0, 10, 25, 30]);
    const { parts, benches } = partsOf(run);
    const drill = await rehearse(parts, RUN, 10);
    expect(drill).toMatchObject({ step: 10, from: 10, to: 25, proof: "digest", failure: null });
    expect(run.rehearsals).toEqual([expect.objectContaining({ step: 10, to: 25, failure: null })]);
    expect(benches.map(({ disposed }) => disposed)).toEqual([1]);
  });

  test("of the newest compares losses behind it, or comes from the one before", async () => {
    const { parts } = partsOf(await lived([0, 10, 25]));
    expect(await rehearse(parts, RUN, "newest")).toMatchObject({
      step: 25,
      from: 25,
      to: LAST,
      proof: "losses",
    });
    const ended = partsOf(await lived([0, 10, LAST]));
    expect(await rehearse(ended.parts, RUN, "newest")).toMatchObject({
      step: LAST,
      from: 10,
      to: LAST,
      proof: "digest",
    });
    const begun = await lived([0]);
    const fresh = { ...begun.store, detail: () => Promise.resolve({ ...begun.detail, step: 0 } as never) };
    const { parts: before } = partsOf(begun);
    expect(await rehearse({ ...before, storage: fresh }, RUN, "newest")).toMatchObject({
      ...{ step: 0, from: 0, to: 0, proof: "stored", failure: null },
    });
  });

  test("names a loss that is another, and a state that is, and remembers it", async () => {
    const run = await lived([0, 10, 25]);
    const { parts, benches } = partsOf(run);
    run.rows.loss[11]! += 1e-3;
    const drill = await rehearse(parts, RUN, 10);
    expect(drill.failure).toMatch(/^Step 12 gave loss/);
    expect(run.rehearsals.at(-1)?.failure).toBe(drill.failure);
    run.rows.loss[11] = (await lived([0])).rows.loss[11]!;
    run.detail.checkpointList[2]!.digest = "0".repeat(64);
    expect((await rehearse(parts, RUN, 10)).failure).toMatch(/state computed for step 25/);
    expect(benches.every(({ disposed }) => disposed === 1)).toBe(true);
  });

  test("of a checkpoint that cannot be read does not take an older one for it", async () => {
    const run = await lived([0, 10, 25], [25]);
    const { parts } = partsOf(run);
    expect((await rehearse(parts, RUN, 25)).failure).toMatch(/Step 25/);
    // The newest that is whole.
    expect(await rehearse(parts, RUN, "newest")).toMatchObject({ step: 10, failure: null });
    expect(await codeOf(rehearse(parts, RUN, 11))).toBe("missing");
  });

  test("in another environment, or beside a save that lets go of it, says nothing about the checkpoint", async () => {
    const run = await lived([0, 10, 25]);
    run.rows.loss[11]! += 1e-3;
    const elsewhere = partsOf(run, { ...run.record.environment, browser: "another" });
    expect(await codeOf(rehearse(elsewhere.parts, RUN, 10))).toBe("diverged");
    const { parts } = partsOf(run);
    const gone = await lived([0]);
    const storage = { ...parts.storage, restore: gone.store.restore };
    expect(await codeOf(rehearse({ ...parts, storage }, RUN, 10))).toBe("missing");
    expect(run.rehearsals).toEqual([]);
    expect(elsewhere.benches.map(({ disposed }) => disposed)).toEqual([1]);
  });

  test("by itself is of the one before the newest, from which there is a way to go", async () => {
    const { parts } = partsOf(await lived([0, 10, 25]));
    expect(await rehearse(parts, RUN, "before newest")).toMatchObject({ step: 10, to: 25, proof: "digest" });
    const { parts: young } = partsOf(await lived([0]));
    expect(await codeOf(rehearse(young, RUN, "before newest"))).toBe("missing");
  });

  test("gives way to a visit, and leaves nothing behind", async () => {
    const run = await lived([0, 10, 25]);
    const { parts, benches } = partsOf(run);
    const visitor = new Visitor<ToyBench>({
      storage: run.store,
      bench: () => Promise.resolve(new ToyBench(run.record.environment)),
      progress: () => undefined,
      now: () => 0,
    });
    const drill = visitor.aside((goOn) => rehearse({ ...parts, goOn }, RUN, 10));
    expect(visitor.isFree).toBe(false);
    const visit = visitor.visit({ run: RUN, step: 12 });
    expect(await codeOf(drill)).toBe("cancelled");
    expect((await visit).digest).toBe(run.digests[12]);
    expect(run.rehearsals).toEqual([]);
    expect(benches.every(({ disposed }) => disposed === 1)).toBe(true);
    await visitor.leave();
    expect(visitor.isFree).toBe(true);
  });

  test("that the machine could not do says nothing about the checkpoint", async () => {
    const run = await lived([0, 10]);
    const { parts } = partsOf(run);
    const bench = () => Promise.reject(new HoldfastError("device-lost", "gone"));
    expect(await codeOf(rehearse({ ...parts, bench }, RUN, "newest"))).toBe("device-lost");
    expect(run.rehearsals).toEqual([]);
  });
});
