/** A part of what `npm run drill -- fuzz` does at length, and what its oracles catch. */
import { beforeAll, expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { CHUNK_BYTES } from "../../src/format/chunks";
import { ROOT } from "../../scripts/lib/process.mjs";
import { bundleTarget, examineBundle } from "../fuzz/bundle-target";
import { contentOf, sealed } from "../fuzz/bundle-model";
import { allTargets, examine, targetsBy } from "../fuzz/campaign";
import { choicesOf } from "../fuzz/input";
import { copyOf, makeSeeds, type Seeds } from "../fuzz/seeds";
import { parserTarget, type Target } from "../fuzz/target";
import { runFuzz } from "../fuzz/threads";
import { importRuns } from "../support/bundles";
import { set } from "../support/json-tree";
import { LARGE_RUN } from "../support/large-run";
import { rawZip } from "../support/raw-zip";
import type { Edit } from "../simulation/threads";
import { SimulatedDisk } from "../support/simulated-disk";

const SEED = 7;
const INPUTS = 600;
/** Of what takes long. */
const FEWER: Readonly<Record<string, number>> = { store: 40, bundle: 160, "large bundle": 6 };

async function fed(target: Target, inputs: number) {
  const reached = new Set<string>();
  const faults: string[] = [];
  for (let index = 0; index < inputs; index++) {
    const outcome = await target.examine(choicesOf(SEED, index));
    reached.add(outcome.reached);
    if (outcome.fault !== null) faults.push(`input ${index}: ${outcome.fault}`);
  }
  return { reached: [...reached], faults };
}

/** Behind names, lengths and checksums: what only a mutant that was sealed again meets. */
const DEEP: Readonly<Record<string, readonly RegExp[]>> = {
  JSON: [/names the key/],
  index: [
    /optimizer\S* is missing/,
    /that is not known/,
    /is none of/,
    /is not in order/,
    /are not those of its runs/,
  ],
  ZIP: [/its directory is not the one/, /does not begin as its directory/, /fails its checksum/],
  "checkpoint head": [/not in its canonical form/, /offsets that do not fit/, /has half of a surrogate pair/],
  "safetensors head": [/does not begin where/, /unsupported/],
  "safetensors file": [/neither # nor #/, /belong to no tensor/],
  journal: [/a line that is too long/, /ends within a line/],
  manifest: [/not in its canonical form/, /as many as the shapes ask for/, /a name twice/],
  log: [/logged\./, /run\./, /edit\./, /dataset/],
  frame: [/its content fails its hash/, /its payload fails/, /trailer/, /byte planes/, /codec #/],
  store: [/gone; # left/, /\(commit\)/, /its log was damaged/],
  bundle: [
    /has another hash than its name/,
    /is of another run or step/,
    /is not what its run's events say/,
    /does not hold the state of step/,
    /ends before the newest checkpoint/,
    /too many bytes for chunk/,
  ],
};

suite("mutants", async () => {
  const targets = await allTargets();

  test.each(targets)("of a $name are taken for what they are, or refused", async (target) => {
    const inputs = FEWER[target.name] ?? INPUTS;
    const { reached, faults } = await fed(target, inputs);
    expect(faults).toEqual([]);
    expect(reached).toContain("accepted");
    const missed = (DEEP[target.name] ?? []).filter((kind) => !reached.some((what) => kind.test(what)));
    expect(missed, reached.join("\n")).toEqual([]);
  });

  test("are the same for the same seed", async () => {
    const [index] = await targetsBy("index");
    const once = await fed(index!, 50);
    expect(await fed(index!, 50)).toEqual(once);
  });
});

suite("a control is caught:", () => {
  let seeds: Seeds;
  beforeAll(async () => {
    seeds = await makeSeeds();
  });

  /** What a broken importer makes of mutants. */
  async function faultsOf(importing: typeof importRuns) {
    return (await fed(bundleTarget(seeds, new SimulatedDisk(), importing), 30)).faults.join("\n");
  }

  test("an error that is not ours", async () => {
    const found = await faultsOf((manager, parts, file) =>
      importRuns(manager, parts, file).catch(() => {
        throw new TypeError("x is undefined");
      }),
    );
    expect(found).toMatch(/not ours: TypeError/);
  });

  test("a code that no file is refused with", async () => {
    const found = await faultsOf(() => Promise.reject(new HoldfastError("internal", "it is our fault")));
    expect(found).toMatch(/it is internal/);
  });

  test("a refusal that leaves a trace", async () => {
    const found = await faultsOf(async (manager, parts, file) => {
      await manager.putData(new Uint8Array(await file.slice(0, 9).arrayBuffer()));
      return importRuns(manager, parts, file);
    });
    expect(found).toMatch(/left a trace/);
  });

  test("a run that comes in as another one", async () => {
    const found = await faultsOf(async (manager, parts, file) => {
      const imported = await importRuns(manager, parts, file);
      for (const { run } of imported) await manager.describe(run, { note: "changed" });
      return imported;
    });
    expect(found).toMatch(/exports to other bytes/);
  });

  test("a large bundle that is refused, or that comes in as another one", async () => {
    const large = await seeds.large();
    const found = async (importing: typeof importRuns) => {
      const store = await copyOf(new SimulatedDisk(), false);
      return examineBundle(large[0]!.bytes, store, { importing, isHonest: true, isThorough: false });
    };
    const refusing = await found(() => Promise.reject(new HoldfastError("corrupt", "it ends too early")));
    expect(refusing.fault).toMatch(/what nobody changed is refused: .*too early/);
    const changing = await found(async (manager, parts, file) => {
      const imported = await importRuns(manager, parts, file);
      for (const { run } of imported) await manager.describe(run, { note: "changed" });
      return imported;
    });
    expect(changing.fault).toBe("what nobody changed exports to other bytes");
  });

  test("a reading without end", async () => {
    const found = await faultsOf(async (_manager, _parts, file) => {
      for (;;) await file.slice(0, 1000).arrayBuffer();
    });
    expect(found).toMatch(/bytes were read of/);
  });

  test("a reader that changes what it reads", async () => {
    const target = parserTarget({
      name: "index",
      share: 1,
      input: () => new TextEncoder().encode("{}"),
      parse: (bytes) => bytes.fill(0),
      check: () => null,
    });
    expect((await fed(target, 1)).faults).toEqual(["input 0: it changed its input"]);
  });

  /** The first fault in a source with another line. */
  async function planted(target: string, edit: Edit) {
    // So long that a machine with other work to do is not taken for a loop.
    const patience = { patienceMs: 8000, stopAfter: 1 };
    const fuzzing = { inputs: 1000, seed: SEED, threads: 1, target, edits: [edit], ...patience };
    return (await runFuzz(ROOT, fuzzing)).faults[0];
  }

  test("a check that is skipped", async () => {
    const edit = { file: "src/format/journal-csv.ts", from: " || written !== line)", to: ")" };
    expect(await planted("journal", edit)).toMatchObject({ fault: "it is written differently again" });
  });

  test("a loop without end, by its input", async () => {
    const from = 'return fail(`${path}.${key}`, "is missing");';
    const found = await planted("index", { file: "src/format/parse.ts", from, to: "for (;;);" });
    expect(found?.fault).toBe("no end after 8000 ms");
    const { outcome } = await examine(await targetsBy("index"), SEED, found!.index);
    expect(outcome.reached).toMatch(/is missing/);
  });
});

suite("a bundle", () => {
  test("that is large comes in and leaves as the same bytes, in both forms", async () => {
    const { large, disk } = await makeSeeds();
    const seeds = await large();
    expect(seeds).toHaveLength(2);
    for (const { bytes, model } of seeds) {
      const journal = model.files.find(({ kind }) => kind === "journal")!;
      expect(contentOf(journal).length).toBeGreaterThan(1 << 20);
      // Beside runs that are there already.
      const store = await copyOf(disk, false);
      expect(await examineBundle(bytes, store, { isHonest: true, isThorough: true })).toEqual({
        reached: "accepted",
        fault: null,
      });
      const { checkpointList } = await store.manager.detail(LARGE_RUN);
      expect(checkpointList.at(-1)!.rawBytes).toBeGreaterThan(2 * CHUNK_BYTES);
    }
  });

  test("as it was written passes every oracle; one whose head is of another run does not come in", async () => {
    const { bundles } = await makeSeeds();
    const [whole] = bundles;
    const honest = rawZip(await sealed(whole!, { agreeing: true, digests: true }));
    const store = async () => copyOf(new SimulatedDisk(), false);
    expect(await examineBundle(honest, await store(), { isThorough: true })).toEqual({
      reached: "accepted",
      fault: null,
    });
    const renamed = { ...whole!, index: set(["runs", 0, "record", "seed"], 8)(whole!.index) };
    const hostile = rawZip(await sealed(renamed, { agreeing: false, digests: true }));
    expect((await examineBundle(hostile, await store(), { isThorough: true })).reached).toMatch(
      /of another run or step/,
    );
  });
});
