/**
 * All that is asked about single steps of a run, saved or not: what was saved is read from the store, anything else is
 * computed again by the trainer. And what a person puts on steps.
 */
import { transfer } from "comlink";
import { hasCode, HoldfastError } from "../errors";
import type { StateEntry } from "./api";
import { holderOf } from "./holder";
import { asJob } from "./job";
import type {
  CheckpointInfo,
  ComparedStep,
  Comparison,
  Interpolation,
  MarkChange,
  RunDetail,
  RunStep,
  State,
  StorageApi,
  TrainApi,
  Watcher,
} from "./protocol";

/** All of their states are in memory at once, and six colours can be told apart. */
const MOST_COMPARED = 6;

export interface StepsParts {
  readonly storage: () => StorageApi;
  readonly trainer: () => Promise<TrainApi>;
  /** Is the run open in this page's trainer? */
  readonly isOpen: (run: string) => boolean;
}

export class Steps {
  readonly #parts: StepsParts;

  constructor(parts: StepsParts) {
    this.#parts = parts;
  }

  async digest(run: string, step: number | undefined): Promise<string> {
    const at = step ?? (await this.#end(run));
    if (at === null) return (await this.#parts.trainer()).digest();
    const stored = await this.#stored({ run, step: at });
    if (stored === null) return (await (await this.#parts.trainer()).look({ run, step: at })).visit.digest;
    // Reading it back proves that the digest is that of the bytes and not only a line in the catalogue.
    await this.#parts.storage().state(run, at);
    return stored.digest;
  }

  async state(run: string, step: number | undefined): Promise<Map<string, StateEntry>> {
    const at = step ?? (await this.#end(run));
    if (at === null) return entriesOf(await (await this.#parts.trainer()).state());
    const where = { run, step: at };
    if ((await this.#stored(where)) !== null) return entriesOf(await this.#parts.storage().state(run, at));
    return entriesOf((await (await this.#parts.trainer()).look(where)).state);
  }

  async compare(steps: readonly RunStep[]): Promise<Comparison> {
    if (steps.length < 2 || steps.length > MOST_COMPARED) {
      throw new HoldfastError(
        "invalid",
        `${steps.length} states were to be compared; name two to ${MOST_COMPARED}, as { run, step }.`,
      );
    }
    const compared: ComparedStep[] = [];
    // One after the other: the trainer holds one state of the past at a time.
    for (const at of steps) compared.push(await this.#compared(at));
    return this.#parts.storage().compare(compared);
  }

  interpolate(a: RunStep, b: RunStep, watcher: Watcher): Promise<Interpolation> {
    return asJob(watcher, async (port) =>
      (await this.#parts.trainer()).interpolate(a, b, transfer(port, [port])),
    );
  }

  /** Is that step not saved, so that pinning it computes it again? */
  async mustCompute(run: string, step: number): Promise<boolean> {
    const { id } = await this.holder({ run, step });
    return (await this.#stored({ run: id, step })) === null;
  }

  /** While nothing opens or closes a run: what makes the checkpoint takes the run for it. */
  async pin(run: string, step: number, on: boolean): Promise<void> {
    const { id } = await this.holder({ run, step });
    const keep = async () => {
      if (on && (await this.#stored({ run: id, step })) === null) await this.#keep({ run: id, step });
    };
    await keep();
    await this.#parts.storage().mark(id, step, { pinned: on });
    // A save of the policy may have cleared it away just before it was pinned.
    await keep();
  }

  /** Changes a part of what is on a step; the rest stays. */
  async mark(at: RunStep, change: MarkChange): Promise<void> {
    const { id } = await this.holder(at);
    await this.#parts.storage().mark(id, at.step, change);
  }

  holder(at: RunStep): Promise<RunDetail> {
    return holderOf(this.#parts.storage(), at);
  }

  async #keep(at: RunStep): Promise<void> {
    try {
      await (await this.#parts.trainer()).keep(at);
    } catch (error) {
      // The trainer that took the run for it can no longer let go of it.
      if (hasCode(error, "worker-died") && !this.#parts.isOpen(at.run))
        await this.#parts.storage().letGo(at.run);
      throw error;
    }
  }

  /** Where the run stands; null where it is open here, and its state is at hand. `busy` while another tab trains it. */
  async #end(run: string): Promise<number | null> {
    if (this.#parts.isOpen(run)) return null;
    const { status, step, name } = await this.#parts.storage().detail(run);
    if (status !== "elsewhere") return step;
    throw new HoldfastError("busy", `Another tab trains "${name}". Name a step, or take the run over.`);
  }

  /** The whole checkpoint of that step; null where there is none. */
  async #stored({ run, step }: RunStep): Promise<CheckpointInfo | null> {
    const known = (await this.#parts.storage().checkpoints(run)).find((info) => info.step === step);
    return known === undefined || known.check === "damaged" ? null : known;
  }

  /** What the store is asked to compare: a step without a checkpoint is computed again. */
  async #compared(at: RunStep): Promise<ComparedStep> {
    if ((await this.#stored(at)) !== null) return at;
    const trainer = await this.#parts.trainer();
    const { visit, state, metrics } = await trainer.look(at, { evaluate: true });
    return { run: visit.holder, step: at.step, visited: { state, digest: visit.digest, metrics } };
  }
}

function entriesOf(state: State): Map<string, StateEntry> {
  const { step, samples, counters } = state.scalars;
  const scalar = (value: number): StateEntry => ({
    dtype: "float64",
    shape: [],
    data: Float64Array.of(value),
  });
  return new Map<string, StateEntry>([
    ...state.tensors.map(({ name, dtype, shape, values }) => [name, { dtype, shape, data: values }] as const),
    ["scalar/step", scalar(step)],
    ["scalar/samples", scalar(samples)],
    ...Object.entries(counters).map(([name, value]) => [`counter/${name}`, scalar(value)] as const),
  ]);
}
