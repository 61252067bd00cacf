/**
 * Saves beside the training: the copy is taken now, everything else while later steps run. At most two are under way;
 * one that falls due meanwhile is passed over and counted, because a third copy would only wait in memory.
 */
import { transfer } from "comlink";
import type { Environment, SaveReason } from "../format/run";
import type { CheckpointInfo, Lease } from "../format/stored";
import type { State } from "../format/tensors";
import type { RunStorageApi } from "../worker/protocol";
import { checkedState } from "./checked";
import type { Journal } from "./journal";
import type { Trainer } from "./trainer";

const MAX_UNDER_WAY = 2;

export interface SavesParts {
  readonly storage: Pick<RunStorageApi, "save">;
  readonly lease: Lease;
  readonly trainer: Trainer;
  readonly environment: Environment;
  readonly journal: Journal;
  readonly now: () => number;
  readonly saved: (checkpoint: CheckpointInfo) => void;
}

export class Saves {
  readonly #parts: SavesParts;
  readonly #underWay = new Set<Promise<unknown>>();
  #passedOver = 0;

  constructor(parts: SavesParts) {
    this.#parts = parts;
  }

  get passedOver(): number {
    return this.#passedOver;
  }

  /** Is there room for another one? One that is not is counted. */
  hasRoom(): boolean {
    if (this.#underWay.size < MAX_UNDER_WAY) return true;
    this.#passedOver += 1;
    return false;
  }

  /** The copy is taken before this returns. Resolves when the checkpoint is durable. */
  save(
    position: { readonly step: number; readonly samples: number },
    reason: SaveReason,
    metrics: Readonly<Record<string, number>>,
  ): Promise<CheckpointInfo> {
    const saving = this.#save(position, reason, metrics);
    this.#underWay.add(saving);
    const done = () => this.#underWay.delete(saving);
    saving.then(done, done);
    return saving;
  }

  /** Resolves when none is under way, whatever came of them. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async #save(
    position: { readonly step: number; readonly samples: number },
    reason: SaveReason,
    metrics: Readonly<Record<string, number>>,
  ): Promise<CheckpointInfo> {
    const { storage, lease, trainer, environment, journal, now, saved } = this.#parts;
    const start = now();
    // Nothing is awaited before these two: the state and the loss are those of this step.
    const reading = trainer.read();
    const stall = now() - start;
    const telling = journal.upTo(position.step);
    const [contents, { rows, loss }] = await Promise.all([reading, telling]);
    const state = checkedState(contents, position);
    const times = { stall, held: stall, readBack: now() - start };
    const known = loss === null ? metrics : { ...metrics, loss };
    const request = { state, rows, reason, metrics: known, environment, times };
    const { checkpoint } = await storage.save(lease, transfer(request, buffersOf(state)));
    if (rows !== null) journal.acknowledge(position.step);
    saved(checkpoint);
    return checkpoint;
  }
}

/** Each buffer once: one that is named twice cannot be transferred. */
export function buffersOf({ tensors }: Pick<State, "tensors">): ArrayBuffer[] {
  return [...new Set(tensors.map(({ values }) => values.buffer))];
}
