/** The storage worker of a page: one at a time, asked now and then whether it lives, and replaced when it does not. */
import { hasCode, messageOf } from "../errors";
import { StorageClient } from "./storage-client";

/** A storage worker that does not answer for this long, in a page that is in view, is taken for dead. */
const SILENCE_MS = 20_000;
const ASK_MS = 5_000;

export interface StorageWatchParts {
  /** A new worker is there; whoever used the one before goes on from the store. */
  readonly replaced: (message: string) => void;
  /** It answers, and not as it should. */
  readonly trouble: (message: string) => void;
}

export class StorageWatch {
  readonly #parts: StorageWatchParts;
  #client: StorageClient;

  constructor(parts: StorageWatchParts) {
    this.#parts = parts;
    this.#client = this.#start();
    setInterval(() => void this.#ask(), ASK_MS);
  }

  /** Another one after a death: ask anew for each call. */
  get client(): StorageClient {
    return this.#client;
  }

  #start(): StorageClient {
    const client: StorageClient = new StorageClient((error) => {
      if (this.#client === client) this.#replace(error.message);
    });
    return client;
  }

  #replace(message: string): void {
    this.#client.end(message);
    this.#client = this.#start();
    this.#parts.replaced(message);
  }

  async #ask(): Promise<void> {
    if (document.visibilityState !== "visible") return;
    const asked = this.#client;
    let answered = false;
    const timer = setTimeout(() => {
      if (answered || asked !== this.#client || document.visibilityState !== "visible") return;
      this.#replace("The storage worker fell silent.");
    }, SILENCE_MS);
    try {
      await asked.api.status();
    } catch (error) {
      if (!hasCode(error, "worker-died")) this.#parts.trouble(messageOf(error));
    } finally {
      answered = true;
      clearTimeout(timer);
    }
  }
}
