/**
 * Work that no caller waits for: giving space back and figures for the screen, one after the other; and beside it, reading
 * back, which takes long and holds up nothing else.
 */
export class Background {
  #work: Promise<unknown> = Promise.resolve();
  #checks: Promise<unknown> = Promise.resolve();

  /** A failure changes nothing that was promised: space that was not given back is found again by the next opening. */
  later(work: () => Promise<unknown>): void {
    this.#work = this.#work.then(work).catch(() => undefined);
  }

  /** What cannot be read back now stays unverified, and is looked at again another time. */
  check(work: () => Promise<unknown>): void {
    this.#checks = this.#checks.then(work).catch(() => undefined);
  }

  /** Resolves when all that was asked for by now is done. */
  async idle(): Promise<void> {
    await Promise.all([this.#work, this.#checks]);
  }
}
