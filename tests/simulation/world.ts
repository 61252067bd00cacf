/**
 * Tabs over one disk, and what they were told: every call is noted with where in the disk's log it began and where it
 * was answered, so that for any boundary it is known what must be there, what may be, and what must not.
 */
import { exportRun, importRun } from "../support/bundles";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import { HoldfastError } from "../../src/errors";
import type { KeepRule, Policy, RunEventBody, RunStatus } from "../../src/format/run";
import type { Lease, Rehearsal } from "../../src/format/stored";
import type { State } from "../../src/format/tensors";
import { keptBy } from "../../src/checkpoint/keep";
import { MemoryLocks } from "../../src/store/locks";
import { DATA, ENVIRONMENT, sampleRecord, sampleRows } from "../support/run-samples";
import { EMPTY, RecordingDisk, type Failure, type Image } from "./disk";

export const FIRST = "r0000000000000001";
export const FORK = "r0000000000000002";

/** So few that a workload of a dozen saves lets go of some. */
export const KEEP: readonly KeepRule[] = [{ kind: "latest", count: 3 }];
/** So small that a few saves fill a pack. */
const PACK_BYTES = 24 * 1024;

/** Something that a tab asked for. */
export type Fact = { readonly run: string; readonly begun: number; answered: number | null } & (
  | { readonly kind: "created"; readonly step: number; readonly parent: string | null }
  | { readonly kind: "saved"; readonly step: number }
  /** All of a run at once, up to this step. */
  | { readonly kind: "imported"; readonly step: number }
  | { readonly kind: "event"; readonly body: RunEventBody }
  | { readonly kind: "named"; readonly name: string }
  | { readonly kind: "noted"; readonly note: string }
  | { readonly kind: "pinned"; readonly step: number }
  | { readonly kind: "ruled"; readonly keep: readonly KeepRule[] }
  | { readonly kind: "removed" }
  | { readonly kind: "restored" }
  | { readonly kind: "erased" }
);

export const REHEARSAL: Rehearsal = {
  time: 1,
  from: 0,
  to: 1,
  proof: "losses",
  failure: null,
  ms: 5,
};

type FactBody = Fact extends infer One ? (One extends Fact ? Omit<One, "begun" | "answered"> : never) : never;

/** A store as one tab has it. */
export interface Tab {
  readonly manager: CheckpointManager;
  readonly parts: StoreParts;
}

export class World {
  readonly disk: RecordingDisk;
  readonly locks = new MemoryLocks();
  readonly facts: Fact[] = [];
  /** What should have been refused and was not. */
  readonly wrongs: string[] = [];
  /** Where in the log the person cleared the site's data. */
  readonly cleared: number[] = [];
  /** Last step of each run whose journal row was acknowledged: a trainer sends the others again. */
  readonly #journaled = new Map<string, number>();
  /** Where in the log the packs alone went. */
  packsCleared = Infinity;
  readonly #noise: number;
  #now = 1_700_000_000_000;

  /** `noise`: bytes in each state that no codec makes smaller. */
  constructor(image: Image = EMPTY, failure?: Failure, noise = 0) {
    this.#noise = noise;
    this.disk = new RecordingDisk(image, {
      packBytes: PACK_BYTES,
      ...(failure === undefined ? {} : { failure }),
    });
  }

  tab(): Tab {
    const tick = () => this.#now++;
    const parts: StoreParts = {
      packs: this.disk,
      catalog: this.disk.catalog,
      locks: this.locks,
      clock: { now: tick, elapsed: tick },
      keep: (checkpoints, run) => {
        const kept = keptBy(checkpoints, run, 0);
        return checkpoints.filter(({ step }) => !kept.has(step));
      },
    };
    return { parts, manager: new CheckpointManager(parts) };
  }

  /** Was this run ever asked for? */
  knows(run: string): boolean {
    return this.facts.some((fact) => fact.run === run && fact.kind === "created");
  }

  clearPacks(): void {
    this.disk.clearPacks();
    this.packsCleared = this.disk.log.length;
  }

  clear(): void {
    this.disk.clear();
    this.cleared.push(this.disk.log.length);
  }

  /** Hours later, as far as the trash is concerned. */
  later(): void {
    this.#now += 1e9;
  }

  /** A run whose owner holds `lease` where it could be made. */
  async create({ manager }: Tab, run = FIRST, parent: number | null = null): Promise<Lease | null> {
    if ((await this.#try(() => manager.putData(DATA))) === null) return null;
    const step = parent ?? 0;
    const record = await sampleRecord({
      id: run,
      parent: parent === null ? null : { run: FIRST, step: parent },
      firstStep: step,
      policy: policyOf(KEEP),
    });
    const reason = parent === null ? "start" : "fork";
    this.#journaled.set(run, step);
    const from = parent === null ? null : FIRST;
    const made = await this.#noted({ run, kind: "created", step, parent: from }, () =>
      manager.createRun(record, { ...this.#request(run, step), rows: null, reason }),
    );
    return made?.lease ?? null;
  }

  /** Saves `step` with the rows that were not acknowledged yet. */
  async save({ manager }: Tab, lease: Lease | null, step: number): Promise<boolean> {
    if (lease === null) return false;
    const { run } = lease;
    const rows = sampleRows((this.#journaled.get(run) ?? 0) + 1, step);
    const saved = await this.#noted({ run, kind: "saved", step }, () =>
      manager.save(lease, { ...this.#request(run, step), rows }),
    );
    if (saved !== null) this.#journaled.set(run, step);
    return saved !== null;
  }

  /** What a writer that lost the run tries: another state of the same step. It must fail. */
  async saveStale({ manager }: Tab, lease: Lease | null, step: number): Promise<void> {
    if (lease === null) return;
    const request = { ...this.#request(lease.run, step, 1), rows: sampleRows(step, step) };
    if ((await this.#try(() => manager.save(lease, request))) !== null)
      this.wrongs.push(`step ${step} was saved by a writer that had lost the run`);
  }

  async event(
    { manager }: Tab,
    lease: Lease | null,
    step: number,
    body: RunEventBody,
    status?: RunStatus,
  ): Promise<void> {
    if (lease === null) return;
    await this.#noted({ run: lease.run, kind: "event", body }, () =>
      manager.appendEvent(lease, step, body, status),
    );
  }

  /** A return to a checkpoint is tried; what came of it stands on it. */
  async rehearse({ manager }: Tab, run: string, step: number): Promise<void> {
    await this.#try(() => manager.rehearsed(run, step, REHEARSAL));
  }

  async journal({ manager }: Tab, lease: Lease | null, from: number, to: number): Promise<void> {
    if (lease === null) return;
    const rows = sampleRows(from, to);
    if (await this.#try(() => manager.appendJournal(lease, rows).then(() => true)))
      this.#journaled.set(lease.run, to);
  }

  async rename({ manager }: Tab, run: string, name: string): Promise<void> {
    await this.#noted({ run, kind: "named", name }, () => manager.rename(run, name));
  }

  async note({ manager }: Tab, run: string, note: string): Promise<void> {
    await this.#noted({ run, kind: "noted", note }, () => manager.describe(run, { note }));
  }

  async pin({ manager }: Tab, run: string, step: number): Promise<void> {
    await this.#noted({ run, kind: "pinned", step }, () => manager.mark(run, step, { pinned: true }));
  }

  /** Another policy, and all that follows from it. */
  async rule({ manager }: Tab, run: string, keep: readonly KeepRule[], budget?: number): Promise<void> {
    const policy = { ...policyOf(keep), ...(budget === undefined ? {} : { budget }) };
    await this.#noted({ run, kind: "ruled", keep }, () => manager.setPolicy(run, policy));
    await manager.idle();
  }

  async remove({ manager }: Tab, run: string): Promise<void> {
    await this.#noted({ run, kind: "removed" }, () => manager.remove(run));
  }

  async restore({ manager }: Tab, run: string): Promise<void> {
    await this.#noted({ run, kind: "restored" }, () => manager.undoRemove(run));
  }

  async empty({ manager }: Tab, erased: string): Promise<void> {
    await this.#noted({ run: erased, kind: "erased" }, () => manager.emptyTrash());
  }

  /** What an opening tab does to what others left. */
  async sweep({ manager }: Tab): Promise<void> {
    await this.#try(() => manager.recovered());
    await this.#try(() => manager.emptyTrash());
    await manager.close();
  }

  async acquire({ manager }: Tab, run = FIRST, takeOver = false): Promise<Lease | null> {
    return this.#try(() => manager.acquire(run, { takeOver }));
  }

  async release({ manager }: Tab, lease: Lease | null): Promise<void> {
    if (lease !== null) await this.#try(() => manager.release(lease));
  }

  /** A run with `steps` checkpoints, made elsewhere, comes in as a file. */
  async import({ manager, parts }: Tab, steps: number): Promise<void> {
    const elsewhere = new World();
    const there = elsewhere.tab();
    const lease = await elsewhere.create(there);
    await elsewhere.event(there, lease, 0, { kind: "started" });
    for (let step = 1; step <= steps; step++) await elsewhere.save(there, lease, step);
    const file = await exportRun(there.manager, there.parts, FIRST);
    const facts: readonly FactBody[] = [
      { run: FIRST, kind: "imported", step: steps },
      { run: FIRST, kind: "event", body: { kind: "started" } },
    ];
    const begun = this.disk.log.length;
    const noted = facts.map((fact): Fact => ({ ...fact, begun, answered: null }));
    this.facts.push(...noted);
    this.#journaled.set(FIRST, steps);
    if ((await this.#try(() => importRun(manager, parts, file))) !== null)
      for (const fact of noted) fact.answered = this.disk.log.length;
  }

  #request(run: string, step: number, variant = 0) {
    return {
      state: stateOf(run, step, variant, this.#noise),
      rows: null,
      reason: "policy",
      metrics: step === 0 ? {} : { loss: 0.5 + step },
      environment: ENVIRONMENT,
      times: { stall: 1, held: 2, readBack: 3 },
    } as const;
  }

  async #noted<R>(body: FactBody, work: () => Promise<R>): Promise<R | null> {
    const fact: Fact = { ...body, begun: this.disk.log.length, answered: null };
    this.facts.push(fact);
    const result = await this.#try(async () => ({ value: await work() }));
    if (result === null) return null;
    fact.answered = this.disk.log.length;
    return result.value;
  }

  /** Null where it fails as it may. */
  async #try<R>(work: () => Promise<R>): Promise<R | null> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof RangeError) return null;
      // Its creation was told as failed, and was not.
      if (error instanceof HoldfastError && /^There is a run/.test(error.message)) return null;
      if (error instanceof HoldfastError && error.code !== "internal" && error.code !== "invalid")
        return null;
      throw error;
    }
  }
}

function policyOf(keep: readonly KeepRule[]): Policy {
  return { save: { kind: "steps", every: 1 }, draw: true, keep };
}

/**
 * S_step of a run: floats that all move a little, integers that change, bytes that never do, so that differences,
 * whole chunks and references are all written. `variant` 1 is what a writer with other settings would have.
 */
export function stateOf(run: string, step: number, variant = 0, noise = 0): State {
  const seed = run === FORK ? 1 : 0;
  const floats = Float32Array.from(
    { length: 300 },
    (_, at) => Math.sin(at + seed + variant) * (1 + step * 1e-3),
  );
  const mask = Uint8Array.from({ length: 64 + noise }, (_, at) =>
    at < 64 ? 7 + seed : Math.imul(at * at + 17, 0x9e3779b1) >>> 24,
  );
  return {
    tensors: [
      { name: "param/weights", dtype: "float32", shape: [floats.length], values: floats },
      { name: "slot/count/weights", dtype: "int32", shape: [2], values: Int32Array.of(step, -step) },
      { name: "param/mask", dtype: "uint8", shape: [mask.length], values: mask },
    ],
    scalars: { step, samples: step * 8, counters: { t: step } },
  };
}
