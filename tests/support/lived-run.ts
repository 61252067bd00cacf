/** A run of a trainer of a few lines in a store that is two arrays, and the states that it was in. */
import { HoldfastError } from "../../src/errors";
import { digestOf } from "../../src/format/digest";
import { cutRows } from "../../src/format/rows";
import type {
  Environment,
  JournalRows,
  Rehearsal,
  Restored,
  RunDetail,
  State,
} from "../../src/worker/protocol";
import type { Bench } from "../../src/worker/visitor";
import { sampleRecord } from "./run-samples";
import { ToyTrainable } from "./toy-trainable";

export const LAST = 40;
const RATE = Math.fround(0.01);
export const RUN = "r1";

/** A run that was saved at some steps; `damaged` ones cannot be restored. */
export async function lived(saved: readonly number[], damaged: readonly number[] = []) {
  const record = { ...(await sampleRecord()), firstStep: 0 };
  const trainable = new ToyTrainable();
  const states: State[] = [trainable.state()];
  const pending = [];
  for (let step = 0; step < LAST; step += 1) {
    const samples = step * trainable.batchSize;
    pending.push(trainable.step({ step, samples, learningRate: RATE, clipNorm: record.optimizer.clipNorm }));
    states.push(trainable.state());
  }
  const loss = await trainable.losses(pending);
  const rows: JournalRows = {
    from: 1,
    loss,
    rate: new Float32Array(LAST).fill(RATE),
    ms: new Float32Array(LAST),
  };
  const digests = await Promise.all(states.map((state) => digestOf(state)));
  const checkpointList = saved.map((step) => ({
    step,
    digest: digests[step] ?? "",
    check: damaged.includes(step) ? "damaged" : "verified",
  }));
  const detail = { id: RUN, name: "run", step: LAST, parent: null, record, events: [], checkpointList };
  const rehearsals: (Rehearsal & { readonly step: number })[] = [];
  const store = {
    rehearsed: (_run: string, step: number, rehearsal: Rehearsal): Promise<void> => {
      rehearsals.push({ ...rehearsal, step });
      return Promise.resolve();
    },
    detail: async (run: string): Promise<RunDetail> => {
      if (run !== RUN) throw new HoldfastError("missing", `no ${run}`);
      return Promise.resolve(detail as unknown as RunDetail);
    },
    journal: (_run: string, from = 1, to = LAST): Promise<JournalRows> => {
      const none = { from, loss: new Float32Array(0), rate: new Float32Array(0), ms: new Float32Array(0) };
      return Promise.resolve(cutRows(rows, from, to) ?? none);
    },
    restore: (_run: string, step = LAST): Promise<Restored> => {
      const at = saved.findLast((one) => one <= step && !damaged.includes(one));
      const state = states[at ?? -1];
      if (state === undefined) throw new HoldfastError("missing", "none is whole");
      const checkpoint = { step: at } as Restored["checkpoint"];
      const skipped = damaged
        .filter((one) => one <= step && one > (at ?? -1))
        .map((one) => ({ step: one, code: "corrupt" as const, message: "it is damaged" }));
      return Promise.resolve({ checkpoint, state, environment: record.environment, skipped });
    },
  };
  return { record, rows, digests, states, store, detail, rehearsals };
}

export class ToyBench implements Bench {
  readonly trainable = new ToyTrainable();
  disposed = 0;
  constructor(readonly environment: Environment) {}
  dispose(): void {
    this.disposed += 1;
  }
}
