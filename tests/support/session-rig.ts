/** A session over a trainer of a few lines and a store that is an array. */
import { expect } from "vitest";
import type { HoldfastError } from "../../src/errors";
import { Session } from "../../src/engine/session";
import type { SessionParts, SessionSignal, SessionStorage } from "../../src/engine/session-parts";
import { cutRows, joinRows, lastStep } from "../../src/format/rows";
import type { JournalRows, RunEvent, RunRecord, RunStatus, SaveReason } from "../../src/format/run";
import type { State } from "../../src/format/tensors";
import { ToyTrainable } from "./toy-trainable";

export const RECORD: RunRecord = {
  id: "rtest",
  name: "toy",
  task: "toy",
  created: 0,
  seed: 1,
  parent: null,
  firstStep: 0,
  steps: 40,
  config: { batchSize: 2 },
  optimizer: {
    kind: "momentum",
    learningRate: 0.01,
    momentum: 0.9,
    beta1: 0.9,
    beta2: 0.999,
    decay: 0.99,
    epsilon: 1e-8,
    weightDecay: 0,
    clipNorm: 0,
    schedule: { kind: "cosine", warmup: 4, horizon: 40, floor: 0.1, every: 10, factor: 0.5 },
  },
  policy: { save: { kind: "steps", every: 10 }, draw: false },
  data: { hash: "", bytes: 0, name: "", origin: "generated", preprocessing: {} },
  environment: { backend: "cpu", adapter: {}, browser: "", tfjs: "", flags: {}, math: {} },
};

export interface Saved {
  readonly step: number;
  readonly state: State;
  readonly reason: SaveReason;
  readonly metrics: Readonly<Record<string, number>>;
  readonly journalEnd: number;
}

/** Keeps what it is given, in the order in which it is given, and checks what the store checks. */
export class ArrayStorage implements SessionStorage<Saved> {
  readonly events: RunEvent[] = [];
  readonly saved: Saved[] = [];
  readonly order: string[] = [];
  rows: JournalRows | null = null;
  status: RunStatus | null = null;
  /** What the next call of that name throws. */
  readonly failures = new Map<string, HoldfastError[]>();

  get end(): number {
    return this.rows === null ? 0 : lastStep(this.rows);
  }

  appendJournal(rows: JournalRows): Promise<void> {
    return this.#answer("journal", () => {
      const fresh = cutRows(rows, this.end + 1, Infinity);
      if (fresh === null) return;
      expect(fresh.from, "the journal has no gap").toBe(this.end + 1);
      this.rows = this.rows === null ? fresh : joinRows([this.rows, fresh]);
    });
  }

  appendEvent(
    step: number,
    event: RunEvent | Record<string, unknown>,
    status?: RunStatus,
  ): Promise<RunEvent> {
    return this.#answer("event", () => {
      const whole = { ...event, step, seq: this.events.length + 1, time: 0 } as RunEvent;
      this.events.push(whole);
      this.order.push(`${whole.kind}@${step}`);
      if (status !== undefined) this.status = status;
      return whole;
    });
  }

  async save(
    state: State,
    rows: JournalRows | null,
    reason: SaveReason,
    metrics: Readonly<Record<string, number>>,
  ): Promise<Saved> {
    if (rows !== null) await this.appendJournal(rows);
    return this.#answer("save", () => {
      const saved = { step: state.scalars.step, state, reason, metrics, journalEnd: this.end };
      this.saved.push(saved);
      return saved;
    });
  }

  #answer<T>(name: string, work: () => T): Promise<T> {
    const failure = this.failures.get(name)?.shift();
    return failure === undefined ? Promise.resolve().then(work) : Promise.reject(failure);
  }
}

export interface Rig {
  readonly session: Session<Saved>;
  readonly trainable: ToyTrainable;
  readonly storage: ArrayStorage;
  readonly signals: SessionSignal<Saved>[];
}

export function rig(
  record = RECORD,
  storage = new ArrayStorage(),
  trainable = new ToyTrainable(),
  parts: Partial<SessionParts<Saved>> = {},
): Rig {
  const signals: SessionSignal<Saved>[] = [];
  let clock = 0;
  const session = new Session<Saved>({
    record,
    trainable,
    storage,
    events: [],
    status: "paused",
    position: { step: 0, samples: 0 },
    journalEnd: 0,
    lastSavedStep: 0,
    now: () => (clock += 1),
    evaluate: () => Promise.resolve({ accuracy: 0.5 }),
    saveCost: () => 1,
    signal: (signal) => signals.push(signal),
    ...parts,
  });
  return { session, trainable, storage, signals };
}

export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 20_000; i += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  throw new Error("it never came");
}

export const finished = ({ storage }: Rig): boolean => storage.status === "finished";

export async function trained(record = RECORD): Promise<Rig> {
  const one = rig(record);
  await one.session.go({ kind: "started" });
  await until(() => finished(one));
  return one;
}
