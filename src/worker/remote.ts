/**
 * Calls over a boundary that answer or fail, and never hang.
 *
 * Comlink's calls have no way to fail when the other side dies: they stay pending for ever. A `Remote` keeps
 * what is under way and rejects all of it once somebody who knows says that the other side is gone.
 */
import { wrap, type Endpoint } from "comlink";
import type { HoldfastError } from "../errors";

type AsyncApi<Api> = { readonly [Key in keyof Api]: (...args: never[]) => Promise<unknown> };

export class Remote<Api extends AsyncApi<Api>> {
  /** The other side's methods. */
  readonly api: Api;
  readonly #pending = new Set<(error: HoldfastError) => void>();
  #closed: HoldfastError | null = null;

  constructor(endpoint: Endpoint) {
    const far = wrap<Record<string, (...args: unknown[]) => Promise<unknown>>>(endpoint);
    const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>();
    this.api = new Proxy(Object.create(null) as Api, {
      get: (_, key) => {
        // A proxy with a `then` would be taken for a promise by `await`.
        if (typeof key !== "string" || key === "then") return undefined;
        let method = methods.get(key);
        if (method === undefined) {
          method = (...args) =>
            this.#track(() => (far[key] as (...args: unknown[]) => Promise<unknown>)(...args));
          methods.set(key, method);
        }
        return method;
      },
    });
  }

  /** Rejects every call under way and every later one. */
  close(error: HoldfastError): void {
    if (this.#closed !== null) return;
    this.#closed = error;
    for (const reject of [...this.#pending]) reject(error);
    this.#pending.clear();
  }

  #track(call: () => Promise<unknown>): Promise<unknown> {
    if (this.#closed !== null) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      call()
        .then(resolve, reject)
        .finally(() => this.#pending.delete(reject));
    });
  }
}
