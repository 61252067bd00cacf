/** What happens, told to whoever listens in this page and in other tabs, and what follows from it for the runs that train. */
import type { HoldfastEvent, LiveRun } from "./api";
import { LiveRuns } from "./live";

const CHANNEL = "holdfast/events";

type Notice = Extract<HoldfastEvent, { readonly kind: "notice" }>;

export class Events {
  readonly #listeners = new Set<(event: HoldfastEvent) => void>();
  readonly #live = new LiveRuns();
  readonly #channel = new BroadcastChannel(CHANNEL);

  /** `fromElsewhere`: called with what another tab told, before those who listen hear of it. */
  constructor(fromElsewhere: (event: HoldfastEvent) => void) {
    this.#channel.addEventListener("message", ({ data }: MessageEvent<HoldfastEvent>) => {
      fromElsewhere(data);
      this.#live.apply(data, false);
      this.#announce(data);
    });
  }

  /** Returns what ends it. */
  subscribe(listener: (event: HoldfastEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** What is known of a run from its events; null where nothing is. */
  live(run: string): LiveRun | null {
    return this.#live.get(run);
  }

  /** In this page alone. */
  tell(event: HoldfastEvent): void {
    this.#live.apply(event, true);
    this.#announce(event);
  }

  /** Here and in other tabs. */
  tellAll(event: HoldfastEvent): void {
    this.#channel.postMessage(event);
    this.tell(event);
  }

  /** A line at the top of this page; `run`: the one it is about. */
  notice(level: Notice["level"], run: string | null, message: string): void {
    this.tell({ kind: "notice", level, run, message });
  }

  #announce(event: HoldfastEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
