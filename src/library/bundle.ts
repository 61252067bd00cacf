/** Bundles without a store: in a page, in a worker, or in a script under Node. */
import { BundleSource } from "../exchange/bundle-source";
import { Work } from "../exchange/work";
import { HoldfastError } from "../errors";
import type { BundleRun } from "../format/bundle";
import type { JournalRows } from "../format/run";
import type { Watcher } from "../format/stored";
import type { State } from "../format/tensors";
import { checkedFile } from "./checked-file";

/**
 * Opens a bundle and reads every byte of it. Throws `corrupt` where anything is not as it should be, `unsupported` for one
 * of a newer version, `cancelled` where `signal` ends it, `invalid` for what is no Blob.
 *
 * @example
 * const bundle = await openBundle(file);
 * for (const { record, checkpoints } of bundle.runs) console.log(record.name, checkpoints.length);
 */
export async function openBundle(file: Blob, watcher: Watcher = {}): Promise<Bundle> {
  const source = await BundleSource.open(checkedFile(file));
  await source.check(new Work(watcher, source.checkpointBytes));
  return new Bundle(source);
}

/** Runs in a file, whole. Nothing of it is kept in memory but its index. */
export class Bundle {
  readonly #source: BundleSource;

  /** @internal Made by `openBundle`. */
  constructor(source: BundleSource) {
    this.#source = source;
  }

  /** Each with its record, events, marks, and the steps and digests of its checkpoints. */
  get runs(): readonly BundleRun[] {
    return this.#source.runs;
  }

  /** Losses, learning rates and milliseconds of all steps; null before the first one. `missing` where there is no such run. */
  journal(run: string): Promise<JournalRows | null> {
    return this.#source.journal(this.#run(run));
  }

  /** What the run trains on. `missing` where it was left out, or there is no such run. */
  data(run: string): Promise<Uint8Array<ArrayBuffer>> {
    const { record } = this.#run(run);
    if (this.#source.form.hasData) return this.#source.data(record.data.hash);
    throw new HoldfastError("missing", `The data of "${record.name}" was left out of this bundle.`);
  }

  /** The state after `step` updates. `missing` where the bundle has no checkpoint of that step. */
  async state(run: string, step: number): Promise<State> {
    const holder = this.#run(run);
    const one = holder.checkpoints.find((checkpoint) => checkpoint.step === step);
    if (one === undefined)
      throw new HoldfastError("missing", `"${holder.record.name}" has no checkpoint of step ${step} here.`);
    return (await this.#source.state(holder, one, new Work({}, 0))).state;
  }

  #run(id: string): BundleRun {
    const found = this.runs.find(({ record }) => record.id === id);
    if (found === undefined) throw new HoldfastError("missing", `There is no run ${id} in this bundle.`);
    return found;
  }
}
