/** The loss on the line between two steps: on its way, there, or why not. */
import { hasCode, messageOf } from "../errors";
import type { HoldfastPage } from "../worker/api";
import type { Interpolation, RunStep } from "../worker/protocol";

/** Made anew for each pair; components only read it. */
export class LineState {
  readonly #api: HoldfastPage;
  readonly #ends: readonly [from: RunStep, to: RunStep];
  readonly #ending = new AbortController();
  result = $state.raw<Interpolation | null>(null);
  failed = $state.raw<string | null>(null);
  /** Points that are done, from 0 to 1; null before the first one. */
  share = $state.raw<number | null>(null);

  constructor(api: HoldfastPage, ends: readonly [from: RunStep, to: RunStep]) {
    this.#api = api;
    this.#ends = ends;
  }

  async compute(): Promise<void> {
    this.failed = null;
    const progress = (done: number, total: number): void => {
      this.share = done === 0 ? null : done / total;
    };
    try {
      const [from, to] = this.#ends;
      this.result = await this.#api.interpolate(from, to, { signal: this.#ending.signal, progress });
    } catch (error) {
      const isOurs = hasCode(error, "cancelled") && this.#ending.signal.aborted;
      if (!isOurs) this.failed = messageOf(error);
    }
  }

  /** Nobody wants it any more. */
  cancel(): void {
    this.#ending.abort();
  }
}
