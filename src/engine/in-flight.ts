/**
 * How many steps the GPU is given ahead: enough that it never runs dry, few enough that whoever waits for the last one waits
 * for four at most.
 */
export class InFlight {
  readonly #settled: () => Promise<void>;
  /** Of steps that were submitted; the last one is not waited for. */
  #fences: Promise<void>[] = [];
  #sinceFence = 0;

  /** `settled`: resolves when all that was submitted by now is done. */
  constructor(settled: () => Promise<void>) {
    this.#settled = settled;
  }

  /** A step was submitted: sets a fence after every `stride` of them, and waits for the one before. */
  async submitted(stride: 1 | 2): Promise<void> {
    this.#sinceFence += 1;
    if (this.#sinceFence < stride) return;
    this.#sinceFence = 0;
    const fence = this.#settled();
    // Whoever awaits it hears of a lost device; a fence that nobody awaits any more must not end the worker.
    fence.catch(() => undefined);
    this.#fences.push(fence);
    if (this.#fences.length > 1) await this.#fences.shift();
  }
}
