/** A worker as the page holds it: its calls answer or fail, also when it dies. */
import { HoldfastError } from "../errors";
import { lifeEnds } from "./life";
import { Remote } from "./remote";

/** Any call that both workers answer. */
interface Living {
  alive(): Promise<void>;
}

export abstract class WorkerClient<
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
