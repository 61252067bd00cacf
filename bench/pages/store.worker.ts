/** The real store in a storage worker, and a trainer beside it that needs no GPU. */
import { expose } from "comlink";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import { HoldfastError, messageOf } from "../../src/errors";
import { digestOf } from "../../src/format/digest";
import type { RunRecord } from "../../src/format/run";
import type { Lease, Recovery, SaveRequest } from "../../src/format/stored";
import { randomId, type PackStore, type PackWriter } from "../../src/store/pack-store";
import type { Catalog } from "../../src/store/tables";
import { openStore } from "../../src/worker/storage";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import { madeUpRecord, NO_ENVIRONMENT } from "./made-up-record";
import { rowOf, Toy } from "./toy-training";

/** Where the worker stops and waits: at a place of the order in which things become durable. */
export interface Gate {
  readonly place: "before the flush" | "before the commit" | "after the commit";
  /** So many times it goes through. */
  readonly after: number;
}

export interface Training {
  /** Null begins a run. */
  readonly run: string | null;
  /** Parameters of a new run. */
  readonly size: number;
  readonly takeOver?: boolean;
  /** It begins runs of this many saves, one after the other; otherwise there is one run without end. */
  readonly savesPerRun?: number;
}

/** How a training ended, or one try of it. */
export interface Ended {
  readonly code: string;
  readonly message: string;
}

export interface FoundRun {
  readonly run: string;
  /** Steps of the checkpoints that came back bit for bit. */
  readonly whole: readonly number[];
  /** Those that did not, with the error that says so. */
  readonly damaged: readonly string[];
  /** Anything that came back as something else. */
  readonly wrong: readonly string[];
}

export interface Report {
  readonly mode: string;
  readonly runs: readonly FoundRun[];
  readonly recovery: Recovery;
}

export interface StoreApi {
  open(
    gate: Gate | null,
    acknowledge: (run: string, step: number) => void,
    atGate: () => void,
  ): Promise<Report>;
  train(training: Training, onEnd: (how: Ended) => void): Promise<void>;
  wander(ms: number, seed: number): Promise<void>;
  goOn(run: string): Promise<Report>;
  /** Deletes it for good. */
  remove(run: string): Promise<void>;
  passGate(): Promise<void>;
}

installErrorTransfer();

const DATA = new TextEncoder().encode("all that a toy trains on");

let parts: StoreParts | null = null;
let manager: CheckpointManager | null = null;
let acknowledge: (run: string, step: number) => void = () => undefined;
let pass: () => void = () => undefined;

const api: StoreApi = {
  async open(gate, onSaved, atGate) {
    acknowledge = onSaved;
    const opened = await openStore({ storage: navigator.storage, locks: navigator.locks });
    parts = gate === null ? opened.parts : gated(opened.parts, gate, atGate);
    manager = new CheckpointManager(parts);
    return report();
  },
  train(training, onEnd) {
    void endless(training).catch((error: unknown) => {
      onEnd(endOf(error));
    });
    return Promise.resolve();
  },
  async wander(ms, seed) {
    const until = performance.now() + ms;
    let bits = seed;
    const below = (count: number) => (bits = (Math.imul(bits, 1664525) + 1013904223) >>> 0) % count;
    while (performance.now() < until) {
      const runs = await theManager().runs();
      const run = runs.length < 3 ? null : (runs[below(runs.length)]?.id ?? null);
      try {
        await some({ run, size: 2_000, takeOver: below(2) === 0 }, 1 + below(6));
      } catch (error) {
        // Another tab has it, has taken it, or took it while its newest state was read.
        const { code } = endOf(error);
        if (!["busy", "fenced", "missing", "orphaned"].includes(code)) throw error;
      }
    }
  },
  async goOn(run) {
    await some({ run, size: 0, takeOver: true }, 3);
    return report();
  },
  async remove(run) {
    await theManager().remove(run);
    await theManager().emptyTrash();
  },
  passGate() {
    pass();
    return Promise.resolve();
  },
};

expose(api);

function theManager(): CheckpointManager {
  if (manager === null) throw new HoldfastError("internal", "The store is not open.");
  return manager;
}

async function endless({ savesPerRun = Infinity, ...training }: Training): Promise<void> {
  await some(training, savesPerRun);
  for (;;) await some({ ...training, run: null }, savesPerRun);
}

/** So many steps with a save after each, of a new run or of one that is there. */
async function some({ run, size, takeOver = false }: Training, saves: number): Promise<void> {
  const { lease, toy } = run === null ? await begun(size) : await resumed(run, takeOver);
  try {
    for (let save = 0; save < saves; save++) {
      toy.advance();
      await theManager().save(lease, requestOf(toy));
      acknowledge(lease.run, toy.step);
    }
  } finally {
    await theManager().release(lease);
  }
}

async function begun(size: number): Promise<{ readonly lease: Lease; readonly toy: Toy }> {
  const toy = new Toy(crypto.getRandomValues(new Uint8Array(1))[0] ?? 0, size);
  const hash = await theManager().putData(DATA);
  const { lease } = await theManager().createRun(recordOf(toy, hash), {
    ...requestOf(toy),
    rows: null,
    reason: "start",
  });
  acknowledge(lease.run, 0);
  return { lease, toy };
}

async function resumed(
  run: string,
  takeOver: boolean,
): Promise<{ readonly lease: Lease; readonly toy: Toy }> {
  const lease = await theManager().acquire(run, { takeOver });
  try {
    const { record } = await theManager().detail(run);
    const { state } = await theManager().restore(run);
    return { lease, toy: Toy.from(record.seed, state) };
  } catch (error) {
    await theManager().release(lease);
    throw error;
  }
}

function requestOf(toy: Toy): SaveRequest {
  return {
    state: toy.state(),
    rows: toy.step === 0 ? null : rowOf(toy.step, toy.loss),
    reason: "policy",
    metrics: toy.step === 0 ? {} : { loss: toy.loss },
    environment: NO_ENVIRONMENT,
    times: { stall: 0, held: 0, readBack: 0 },
  };
}

/** Everything that is listed, read and compared with what training gives that begins anew. */
async function report(): Promise<Report> {
  const recovery = await theManager().recovered();
  const runs: FoundRun[] = [];
  for (const { id } of await theManager().runs()) runs.push(await foundRun(id));
  return { mode: parts?.packs.mode ?? "", runs, recovery };
}

async function foundRun(run: string): Promise<FoundRun> {
  const found = { run, whole: [] as number[], damaged: [] as string[], wrong: [] as string[] };
  const { record, checkpointList } = await theManager().detail(run);
  const journal = await theManager().journal(run);
  const steps = new Set(checkpointList.map(({ step }) => step));
  const last = Math.max(...steps, journal.from + journal.loss.length - 1);
  const toy = new Toy(record.seed, Number(record.config["size"]));
  for (;;) {
    if (steps.has(toy.step)) await compare(found, toy);
    if (toy.step === last) return found;
    toy.advance();
    const loss = journal.loss[toy.step - journal.from];
    // Rows that were lost with the catalogue and their log are no numbers.
    if (loss !== undefined && !Number.isNaN(loss) && !Object.is(loss, toy.loss))
      found.wrong.push(`the loss of step ${toy.step}`);
  }
}

async function compare(
  found: { whole: number[]; damaged: string[]; wrong: string[]; run: string },
  toy: Toy,
): Promise<void> {
  try {
    const { state } = await theManager().read(found.run, toy.step);
    if ((await digestOf(state)) === (await digestOf(toy.state()))) found.whole.push(toy.step);
    else found.wrong.push(`the state of step ${toy.step}`);
  } catch (error) {
    const { code, message } = endOf(error);
    // Another tab may have let go of it since it was listed.
    const row = await theManager().checkpoints(found.run);
    if (!row.some(({ step }) => step === toy.step)) return;
    if (["corrupt", "missing", "unsupported"].includes(code))
      found.damaged.push(`step ${toy.step}: ${message}`);
    else found.wrong.push(`step ${toy.step}: ${code}: ${message}`);
  }
}

function endOf(error: unknown): Ended {
  return { code: error instanceof HoldfastError ? error.code : "none", message: messageOf(error) };
}

function gated(opened: StoreParts, { place, after }: Gate, atGate: () => void): StoreParts {
  let left = after;
  const wait = async (here: Gate["place"]) => {
    if (here !== place || left-- !== 0) return;
    await new Promise<void>((resolve) => {
      pass = resolve;
      atGate();
    });
  };
  return { ...opened, packs: gatedPacks(opened.packs, wait), catalog: gatedCatalog(opened.catalog, wait) };
}

type Wait = (place: Gate["place"]) => Promise<void>;

function gatedPacks(packs: PackStore, wait: Wait): PackStore {
  const gatedWriter = (writer: PackWriter): PackWriter => ({
    name: writer.name,
    get size() {
      return writer.size;
    },
    append: (bytes) => writer.append(bytes),
    cut: (size) => writer.cut(size),
    async flush() {
      await wait("before the flush");
      await writer.flush();
    },
    close: () => writer.close(),
  });
  return {
    mode: packs.mode,
    packBytes: packs.packBytes,
    create: async () => gatedWriter(await packs.create()),
    open: async (name) => {
      const writer = await packs.open(name);
      return writer === null ? null : gatedWriter(writer);
    },
    sizeOf: (name) => packs.sizeOf(name),
    read: (name, offset, length, room) => packs.read(name, offset, length, room),
    list: () => packs.list(),
    recycle: (name, isFree) => packs.recycle(name, isFree),
  };
}

function gatedCatalog(catalog: Catalog, wait: Wait): Catalog {
  return {
    mode: catalog.mode,
    read: (work) => catalog.read(work),
    async write(durability, work) {
      if (durability === "strict") await wait("before the commit");
      const result = await catalog.write(durability, work);
      if (durability === "strict") await wait("after the commit");
      return result;
    },
    close: () => catalog.close(),
  };
}

function recordOf(toy: Toy, hash: string): RunRecord {
  return madeUpRecord({
    id: `r${randomId(16)}`,
    name: "toy",
    created: Date.now(),
    seed: toy.seed,
    steps: 1_000_000,
    config: { size: toy.size },
    data: { hash, bytes: DATA.length, name: "none", origin: "generated", preprocessing: {} },
  });
}
