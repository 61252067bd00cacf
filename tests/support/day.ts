/**
 * Hours of training in a simulated clock: the real session, policy and store (in memory), over a trainer that makes up its
 * numbers. After each save, when all that follows from it is done, what is there is held to the rules, each of them told
 * once more in the plainest words.
 */
import { surplusAt } from "../../src/checkpoint/keep";
import { CheckpointManager, type StoreParts } from "../../src/checkpoint/manager";
import type { PendingLoss, Snapshot, StepInput, Trainable } from "../../src/engine/trainable";
import { Session } from "../../src/engine/session";
import type { KeepRule, Policy } from "../../src/format/run";
import type { CheckpointInfo, Lease } from "../../src/format/stored";
import type { State } from "../../src/format/tensors";
import { MemoryCatalog } from "../../src/store/memory-catalog";
import { MemoryLocks } from "../../src/store/locks";
import { MemoryPacks } from "../../src/store/memory";
import { Choices } from "../simulation/random";
import { DATA, ENVIRONMENT, sampleRecord } from "./run-samples";

const STEP_MS = 500;
/** What the simulated machine takes for a save, milliseconds. */
const SAVE_MS = 40;
const SIZE = 2048;
const HOUR_MS = 3_600_000;
const BEGIN = 1_700_000_000_000;

export interface DayOptions {
  readonly hours: number;
  /** Bytes; null for none. */
  readonly budget: number | null;
  readonly seed: number;
}

/** What lay there after a save. */
export interface Sample {
  readonly hour: number;
  readonly steps: readonly number[];
  /** Of all packs but those of the log and the data. */
  readonly bytes: number;
}

export interface Day {
  readonly saves: number;
  /** Most bytes that lay there after a save, when all was done. */
  readonly mostBytes: number;
  /** Against a rule, in words. */
  readonly faults: readonly string[];
  readonly samples: readonly Sample[];
  /** Of a checkpoint, stored as a keyframe. */
  readonly keyframeBytes: number;
}

const LATEST = 3;
const BEST = 2;
const DENSITY = 64;
const USED_MS = HOUR_MS;

const KEEP: readonly KeepRule[] = [
  { kind: "latest", count: LATEST },
  { kind: "best", metric: "loss", mode: "min", count: BEST },
  { kind: "spaced", density: DENSITY },
  { kind: "used", seconds: USED_MS / 1000 },
];

/** Trains for so long, and tells what came of it. */
export async function simulatedDay({ hours, budget, seed }: DayOptions): Promise<Day> {
  const clock = { ms: 0 };
  const parts = partsAt(clock);
  const manager = new CheckpointManager(parts);
  const choices = new Choices(seed);
  await manager.putData(DATA);
  const policy: Policy = {
    save: { kind: "auto", returnSeconds: 5, overhead: 0.02 },
    draw: false,
    keep: KEEP,
    ...(budget === null ? {} : { budget }),
  };
  const steps = Math.round((hours * HOUR_MS) / STEP_MS);
  const record = await sampleRecord({ policy, steps });
  const trainable = new MadeUp(clock, choices);
  const { lease } = await manager.createRun(record, {
    state: trainable.state(),
    rows: null,
    reason: "start",
    metrics: {},
    environment: ENVIRONMENT,
    times: { stall: 0, held: 0, readBack: 0 },
  });
  const watch = new Watch(manager, parts, lease, { clock, choices, budget });
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const session = new Session<CheckpointInfo>({
    record,
    trainable,
    storage: {
      appendJournal: (rows) => manager.appendJournal(lease, rows),
      appendEvent: (step, event, status) => manager.appendEvent(lease, step, event, status),
      save: (state, rows, reason, metrics, times) =>
        trainable.standStill(async () => {
          const request = { state, rows, reason, metrics, environment: ENVIRONMENT, times };
          const saved = await manager.save(lease, request);
          await watch.saved(saved);
          return saved;
        }),
    },
    events: [],
    status: "paused",
    position: { step: 0, samples: 0 },
    journalEnd: 0,
    lastSavedStep: 0,
    now: () => clock.ms,
    evaluate: () => Promise.resolve({}),
    saveCost: () => SAVE_MS,
    signal: (signal) => {
      if (signal.kind === "trouble" || signal.kind === "save-failed") watch.faults.push(signal.message);
      if (signal.kind === "trouble" || (signal.kind === "status" && signal.status === "finished")) end();
    },
  });
  await session.go({ kind: "started" });
  await ended;
  await session.close();
  await watch.restoredAll();
  await manager.close();
  return watch.day();
}

function partsAt(clock: { readonly ms: number }): StoreParts {
  const now = () => BEGIN + clock.ms;
  return {
    packs: new MemoryPacks(),
    catalog: new MemoryCatalog(),
    locks: new MemoryLocks(),
    clock: { now, elapsed: () => clock.ms },
    keep: surplusAt(now),
  };
}

interface About {
  readonly clock: { readonly ms: number };
  readonly choices: Choices;
  readonly budget: number | null;
}

/** What was saved, used and pinned, remembered beside the store. */
class Watch {
  readonly #manager: CheckpointManager;
  readonly #parts: StoreParts;
  readonly #lease: Lease;
  readonly #about: About;
  readonly #saved: { readonly step: number; readonly loss: number; readonly digest: string }[] = [];
  readonly #used = new Map<number, number>();
  readonly #pinned = new Set<number>();
  readonly #samples: Sample[] = [];
  readonly faults: string[] = [];
  #mostBytes = 0;
  #keyframeBytes = 0;

  constructor(manager: CheckpointManager, parts: StoreParts, lease: Lease, about: About) {
    this.#manager = manager;
    this.#parts = parts;
    this.#lease = lease;
    this.#about = about;
  }

  async saved({ step, loss, digest }: CheckpointInfo): Promise<void> {
    const { choices } = this.#about;
    this.#saved.push({ step, loss: loss ?? Infinity, digest });
    await this.#manager.idle();
    const list = await this.#manager.checkpoints(this.#lease.run);
    this.#keyframeBytes = Math.max(this.#keyframeBytes, ...list.map(({ storedBytes }) => storedBytes));
    const steps = list.map((one) => one.step);
    const bytes = await this.#bytes();
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
    this.#check(steps, bytes);
    if (this.#saved.length % 60 === 0)
      this.#samples.push({ hour: this.#about.clock.ms / HOUR_MS, steps, bytes });
    // Somebody looks at one of them now and then, and pins one once in a while.
    if (choices.once(40)) await this.#use(choices.of(steps));
    if (choices.once(1500)) await this.#pin(choices.of(steps));
  }

  /** All that is left comes back as it was. */
  async restoredAll(): Promise<void> {
    const digests = new Map(this.#saved.map(({ step, digest }) => [step, digest]));
    for (const { step } of await this.#manager.checkpoints(this.#lease.run)) {
      const { info } = await this.#manager.read(this.#lease.run, step);
      if (step > 0 && info.digest !== digests.get(step)) this.#fault(`step ${step} has another digest`);
    }
  }

  day(): Day {
    return {
      saves: this.#saved.length,
      mostBytes: this.#mostBytes,
      faults: this.faults,
      samples: this.#samples,
      keyframeBytes: this.#keyframeBytes,
    };
  }

  #check(steps: readonly number[], bytes: number): void {
    const { clock, budget } = this.#about;
    const there = new Set(steps);
    const has = (step: number, why: string) => {
      if (!there.has(step)) this.#fault(`step ${step} is gone, and was ${why}`);
    };
    if (budget !== null && bytes > budget) this.#fault(`${bytes} bytes lie there, of ${budget}`);
    has(0, "the first one");
    for (const { step } of this.#saved.slice(-LATEST)) has(step, "one of the latest");
    const best = this.#saved.toSorted((a, b) => a.loss - b.loss || a.step - b.step).slice(0, BEST);
    for (const { step } of best) has(step, "one of the best");
    for (const step of this.#pinned) has(step, "pinned");
    if (budget === null)
      for (const [step, at] of this.#used) if (clock.ms - at < USED_MS) has(step, "used a while ago");
    this.#checkSpacing(steps, budget === null ? DENSITY : 1);
  }

  /** At a distance of d steps from the newest no hole is wider than two stretches of d / density, and two saves. */
  #checkSpacing(steps: readonly number[], density: number): void {
    const newest = steps.at(-1) ?? 0;
    const between = this.#saved.reduce(
      (most, { step }, index) => Math.max(most, step - (this.#saved[index - 1]?.step ?? 0)),
      0,
    );
    for (const [index, step] of steps.entries()) {
      const next = steps[index + 1];
      if (next === undefined) continue;
      const allowed = 2 * Math.max(between, (newest - step) / density);
      if (next - step > allowed) this.#fault(`from step ${step} to ${next} there is nothing, at ${newest}`);
    }
  }

  async #bytes(): Promise<number> {
    const { catalog, packs } = this.#parts;
    const log = (await catalog.read((tx) => tx.get("runs", this.#lease.run)))?.log ?? null;
    const data = (await catalog.read((tx) => tx.all("data"))).flatMap(({ copies }) => copies.flat());
    const others = new Set([log, ...data.map(({ pack }) => pack)]);
    return (await packs.list())
      .filter(({ name }) => !others.has(name))
      .reduce((sum, { size }) => sum + size, 0);
  }

  async #use(step: number): Promise<void> {
    await this.#manager.read(this.#lease.run, step);
    this.#used.set(step, this.#about.clock.ms);
    await this.#manager.idle();
  }

  async #pin(step: number): Promise<void> {
    await this.#manager.mark(this.#lease.run, step, { pinned: true });
    this.#pinned.add(step);
  }

  #fault(what: string): void {
    const hour = (this.#about.clock.ms / HOUR_MS).toFixed(2);
    if (this.faults.length < 20) this.faults.push(`hour ${hour}: ${what}`);
  }
}

/** Half a second to a step, by the simulated clock. Its state is another one after each. */
class MadeUp implements Trainable {
  readonly batchSize = 2;
  readonly samplesPerEpoch = 1000;
  readonly #clock: { ms: number };
  readonly #choices: Choices;
  readonly #weights = Float32Array.from({ length: SIZE }, (_, at) => Math.sin(at));
  readonly #losses = new Map<PendingLoss, number>();
  #step = 0;
  #still: Promise<unknown> = Promise.resolve();

  constructor(clock: { ms: number }, choices: Choices) {
    this.#clock = clock;
    this.#choices = choices;
  }

  /** The clock waits while the store works: what it takes is no part of the simulation. */
  standStill<R>(work: () => Promise<R>): Promise<R> {
    const result = this.#still.then(work);
    this.#still = result.catch(() => undefined);
    return result;
  }

  step({ step, learningRate }: StepInput): PendingLoss {
    this.#clock.ms += STEP_MS;
    this.#step = step + 1;
    for (let at = step % 7; at < SIZE; at += 7)
      this.#weights[at] =
        (this.#weights[at] ?? 0) * 0.999 + learningRate * (this.#choices.below(2001) / 1000 - 1);
    const pending = { step: this.#step };
    // Falls at first, then wanders up and down for hours.
    const wave = Math.sin(step / 9000) * 0.3 + this.#choices.below(1000) / 2000;
    this.#losses.set(pending, 1 + 3 * Math.exp(-step / 20_000) + wave);
    return pending;
  }

  async losses(pending: readonly PendingLoss[]): Promise<Float32Array<ArrayBuffer>> {
    await new Promise((resolve) => setImmediate(resolve));
    return Float32Array.from(pending, (one) => {
      const loss = this.#losses.get(one) ?? Number.NaN;
      this.#losses.delete(one);
      return loss;
    });
  }

  async settled(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.#still;
  }

  snapshot(): Snapshot {
    const state = this.state();
    return {
      step: this.#step,
      read: (held) => {
        held.push(0);
        return Promise.resolve(state);
      },
      discard: () => undefined,
    };
  }

  state(): State {
    return {
      tensors: [{ name: "param/w", dtype: "float32", shape: [SIZE], values: this.#weights.slice() }],
      scalars: { step: this.#step, samples: this.#step * this.batchSize, counters: {} },
    };
  }

  restore(): void {
    throw new Error("nothing is restored in a day");
  }

  dispose(): void {
    this.#losses.clear();
  }
}
