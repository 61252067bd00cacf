import { HoldfastError } from "../errors";

/** Whether the device is gone; the first reason counts. */
export class LostSignal {
  reason: string | null = null;
  #resolve: (reason: string) => void = () => undefined;
  readonly reported = new Promise<string>((resolve) => {
    this.#resolve = resolve;
  });
  readonly #waiting = new Set<(error: HoldfastError) => void>();

  report(reason: string): void {
    if (this.reason !== null) return;
    this.reason = reason;
    this.#resolve(reason);
    for (const reject of this.#waiting) reject(lostError(reason));
  }

  /** Not `Promise.race` with `reported`: that would keep every result until the device is lost, in effect for ever. */
  orLost<Result>(work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.reason !== null) reject(lostError(this.reason));
      this.#waiting.add(reject);
      void work.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }
}

/** The error that everybody gets who asks a lost device for anything. */
export function lostError(reason: string): HoldfastError {
  return new HoldfastError("device-lost", `The GPU was lost (${reason}). Resume the run in a new worker.`);
}
