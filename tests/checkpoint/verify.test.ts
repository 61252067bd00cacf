/** Looking at everything: on request, and little by little. Each kind of damage is seen by the look that is meant to. */
import { expect, suite, test } from "vitest";
import { Scrub } from "../../src/checkpoint/scrub";
import { DataStore } from "../../src/checkpoint/data";
import { PACK_HEADER_BYTES } from "../../src/format/pack-header";
import { DATA, sampleRecord, sampleRequest, sampleRows } from "../support/run-samples";
import { begun, partsOn, RUN } from "../support/store-parts";

async function lived() {
  const store = await begun();
  const { manager, lease } = store;
  await manager.appendEvent(lease, 0, { kind: "started" }, "running");
  for (let step = 1; step <= 10; step++)
    await manager.save(lease, sampleRequest(step, sampleRows(step, step)));
  await manager.idle();
  return store;
}

type Store = Awaited<ReturnType<typeof lived>>;

/** Flips a byte of a pack, behind everybody's back. */
function flip({ disk }: Store, name: string | undefined, at: number): void {
  const file = disk.files.get(name ?? "");
  if (file === undefined) throw new Error("no such pack");
  file.bytes = file.bytes.slice();
  file.bytes[at] = (file.bytes[at] ?? 0) ^ 1;
}

const rowsOf = ({ disk }: Store) =>
  disk.catalog.read(async (tx) => ({
    run: await tx.get("runs", RUN),
    checkpoints: await tx.of("checkpoints", RUN),
    data: await tx.all("data"),
  }));

suite("verify", () => {
  test.each([false, true])("finds nothing where nothing is (all: %s)", async (all) => {
    const { manager } = await lived();
    expect(await manager.verify(all)).toEqual({ all, runs: 1, checkpoints: 11, damaged: [] });
  });

  test("a manifest that is damaged is seen by both, and marked by the thorough one", async () => {
    const store = await lived();
    const { checkpoints } = await rowsOf(store);
    const hit = checkpoints[4];
    flip(store, hit?.commit.pack, (hit?.commit.offset ?? 0) + 200);
    for (const all of [false, true]) {
      const { damaged } = await store.manager.verify(all);
      expect(damaged).toHaveLength(1);
      expect(damaged[0]).toMatch(/^"sample", step 4: /);
    }
    const checks = (await store.manager.checkpoints(RUN)).map(({ check }) => check);
    expect(checks.filter((check) => check === "damaged")).toHaveLength(1);
  });

  test("a chunk that is damaged is seen only where every byte is read", async () => {
    const store = await lived();
    const { checkpoints } = await rowsOf(store);
    // Behind the header of the pack and of its first frame: the first chunk of the second chain's keyframe.
    flip(store, checkpoints.at(-1)?.commit.pack, PACK_HEADER_BYTES + 150);
    expect((await store.manager.verify(false)).damaged).toEqual([]);
    expect((await store.manager.verify(true)).damaged.length).toBeGreaterThan(0);
  });

  test("a pack that was cut is seen without reading it", async () => {
    const store = await lived();
    const { checkpoints } = await rowsOf(store);
    const file = store.disk.files.get(checkpoints.at(-1)?.commit.pack ?? "");
    if (file !== undefined) file.bytes = file.bytes.slice(0, -1);
    expect((await store.manager.verify(false)).damaged.join()).toMatch(/were committed/);
  });

  test("a log that is damaged is seen where every byte is read", async () => {
    const store = await lived();
    const { run } = await rowsOf(store);
    flip(store, run?.log ?? "", PACK_HEADER_BYTES + 150);
    expect((await store.manager.verify(true)).damaged.join()).toMatch(/"sample", its log: bytes 4096 to/);
  });
});

suite("reading back in idle time", () => {
  function scrubOf({ disk }: Store) {
    const parts = partsOn(disk);
    let pieces = 0;
    const pace = {
      now: () => 7,
      between: () => {
        pieces++;
        return Promise.resolve();
      },
      rest: () => Promise.resolve(),
    };
    const data = new DataStore(parts.packs, parts.catalog, parts.clock.now);
    return { scrub: new Scrub({ ...parts, now: parts.clock.now }, data, pace), pieces: () => pieces };
  }

  test("reads everything, in pieces", async () => {
    const { scrub, pieces } = scrubOf(await lived());
    expect(scrub.status.finished).toBe(null);
    await scrub.round();
    expect(scrub.status).toEqual({ finished: 7, checkpoints: 11, damaged: [] });
    expect(pieces()).toBeGreaterThan(11);
  });

  test("names what is damaged, marks it, and goes on", async () => {
    const store = await lived();
    const { checkpoints } = await rowsOf(store);
    const hit = checkpoints[4];
    flip(store, hit?.commit.pack, (hit?.commit.offset ?? 0) + 200);
    const { scrub } = scrubOf(store);
    await scrub.round();
    expect(scrub.status.checkpoints).toBe(11);
    expect(scrub.status.damaged).toHaveLength(1);
    expect((await store.manager.checkpoints(RUN))[4]?.check).toBe("damaged");
  });

  test("a damaged copy of data is written anew from the other one", async () => {
    const store = await lived();
    const { data } = await rowsOf(store);
    const [first] = data[0]?.copies[0] ?? [];
    flip(store, first?.pack, (first?.offset ?? 0) + 110);
    const { scrub } = scrubOf(store);
    await scrub.round();
    expect(scrub.status.damaged).toEqual([]);
    const after = (await rowsOf(store)).data[0]?.copies ?? [];
    expect(after).toHaveLength(2);
    expect(after.flat().some(({ pack }) => pack === first?.pack)).toBe(false);
    expect(await store.manager.getData((await sampleRecord()).data.hash)).toEqual(DATA);
  });

  test("data with no whole copy left is named", async () => {
    const store = await lived();
    const { data } = await rowsOf(store);
    for (const [place] of data[0]?.copies ?? []) flip(store, place?.pack, (place?.offset ?? 0) + 110);
    const { scrub } = scrubOf(store);
    await scrub.round();
    expect(scrub.status.damaged.join()).toMatch(/^The data [0-9a-f]{12}… is damaged/);
  });

  test("stops where it is told to", async () => {
    const store = await lived();
    const { scrub } = scrubOf(store);
    scrub.stop();
    await scrub.run();
    await scrub.round();
    expect(scrub.status.finished).toBe(null);
  });
});
