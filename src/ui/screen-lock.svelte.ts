/** Keeps the screen awake, and with it a laptop's or phone's training, while a run trains in view. */

type Platform = Pick<WakeLock, "request">;

/** Components read it. */
export class ScreenLock {
  readonly isSupported: boolean;
  /** Why the screen may go dark although it should not; null where it does not. */
  refused = $state.raw<string | null>(null);
  readonly #platform: Platform | null;
  readonly #isVisible: () => boolean;
  #wanted = false;
  #asking = false;
  #held: WakeLockSentinel | null = null;

  /** `platform`: null where the browser has no such lock. */
  constructor(platform: Platform | null, isVisible: () => boolean) {
    this.isSupported = platform !== null;
    this.#platform = platform;
    this.#isVisible = isVisible;
  }

  /** From now on, or no more. */
  async want(wanted: boolean): Promise<void> {
    this.#wanted = wanted;
    await this.renew();
  }

  /** Browsers let go of it when the page is hidden: to be called when it is in view again. */
  async renew(): Promise<void> {
    if (this.#platform === null || this.#asking) return;
    if (!this.#wanted) await this.#release();
    else if (this.#held?.released !== false && this.#isVisible()) await this.#ask(this.#platform);
  }

  async #ask(platform: Platform): Promise<void> {
    this.#asking = true;
    try {
      this.#held = await platform.request("screen");
      this.refused = null;
    } catch {
      this.refused =
        "The browser does not keep the screen awake now, as when the battery is low. Plug the device in, then switch this off and on.";
    }
    this.#asking = false;
    // It may be wanted no more by now.
    if (!this.#wanted) await this.#release();
  }

  async #release(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    this.refused = null;
    await held?.release();
  }
}

/** The page's one. */
export const screenLock = new ScreenLock(
  typeof navigator !== "undefined" && "wakeLock" in navigator ? navigator.wakeLock : null,
  () => !document.hidden,
);
