import { createSubscriber } from "svelte/reactivity";

const TICK_MS = 1000;

/** The time of day for labels such as "12 s ago": read in a template, it renews them each second, and only while one is shown. */
export class Clock {
  readonly #subscribe = createSubscriber((update) => {
    const timer = setInterval(update, TICK_MS);
    return () => clearInterval(timer);
  });

  /** Milliseconds since 1970. */
  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

/** The page's one clock. */
export const clock = new Clock();
