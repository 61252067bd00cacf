/** A worker as the page holds it: its calls answer or fail, also when it dies. */
import { HoldfastError } from "../errors";
import { lifeEnds } from "./life";
import { Remote } from "./remote";
import type { StorageApi, TrainApi, TrainEvent } from "./protocol";
import { transfer } from "comlink";

/** Any call that both workers answer. */
interface Living {
  alive(): Promise<void>;
}

abstract class WorkerClient<
  Api extends Living & { readonly [Key in keyof Api]: (...args: never[]) => Promise<unknown> },
> {
  readonly api: Api;
  readonly #worker: Worker;
  readonly #remote: Remote<Api>;
  readonly #what: string;
  readonly #died: (error: HoldfastError) => void;
  #ended = false;

  /** `name`: the worker's own, which no other worker of the site has. */
  constructor(worker: Worker, name: string, what: string, died: (error: HoldfastError) => void) {
    this.#worker = worker;
    this.#what = what;
    this.#died = died;
    this.#remote = new Remote<Api>(worker);
    this.api = this.#remote.api;
    worker.addEventListener("error", (event) => {
      this.#fail(`failed: ${event.message === "" ? "its script could not be loaded" : event.message}`);
    });
    this.#watch(name);
  }

  /** Ends the worker now. Every call under way rejects with `worker-died`. */
  end(why: string): void {
    this.#ended = true;
    this.#worker.terminate();
    this.#remote.close(
      new HoldfastError("worker-died", why === "" ? `The ${this.#what} worker was ended.` : why),
    );
  }

  #watch(name: string): void {
    this.api
      .alive()
      .then(() => lifeEnds(name))
      .then(
        () => {
          this.#fail("ended unexpectedly; the browser may have been short of memory.");
        },
        // It was ended meanwhile, or the browser has no locks.
        () => undefined,
      );
  }

  #fail(how: string): void {
    if (this.#ended) return;
    const error = new HoldfastError("worker-died", `The ${this.#what} worker ${how}`);
    this.end(error.message);
    this.#died(error);
  }
}

export class StorageClient extends WorkerClient<StorageApi> {
  constructor(died: (error: HoldfastError) => void) {
    const name = `holdfast/storage/${crypto.randomUUID()}`;
    const worker = new Worker(new URL("./storage.worker.ts", import.meta.url), { type: "module", name });
    super(worker, name, "storage", died);
  }
}

export class TrainerClient extends WorkerClient<TrainApi> {
  readonly #events = new MessageChannel();

  constructor(died: (error: HoldfastError) => void) {
    const name = `holdfast/train/${crypto.randomUUID()}`;
    const worker = new Worker(new URL("./train.worker.ts", import.meta.url), { type: "module", name });
    super(worker, name, "trainer", died);
  }

  /** Hands it the way to the storage worker, and hears its events from then on. */
  async connect(storage: StorageClient, listener: (event: TrainEvent) => void): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    this.#events.port1.addEventListener("message", (message: MessageEvent<TrainEvent>) => {
      listener(message.data);
    });
    this.#events.port1.start();
    await storage.api.connect(transfer(port1, [port1]));
    await this.api.connect(transfer(port2, [port2]), transfer(this.#events.port2, [this.#events.port2]));
  }

  override end(why: string): void {
    super.end(why);
    // A dead worker's last words would be taken for news.
    this.#events.port1.close();
  }
}
