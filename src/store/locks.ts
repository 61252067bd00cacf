/**
 * Named locks that one holder at a time has, and that end with their holder: a tab that is killed holds none.
 *
 * A lock keeps honest tabs from working on one run at a time. It proves nothing: a frozen tab keeps its lock, and one
 * whose lock was stolen writes on after it wakes. What keeps the store right is the epoch (`owner.ts`).
 */
import { HoldfastError } from "../errors";
import { named } from "./platform-error";

export interface Held {
  /** Was it stolen? */
  readonly lost: boolean;
  /** Lets go. Twice is once. */
  release(): void;
}

export interface Locks {
  /** Null where somebody has it. */
  take(name: string): Promise<Held | null>;
  /** Waits until nobody has it; null where somebody still has it after so many milliseconds. */
  wait(name: string, ms: number): Promise<Held | null>;
  /** Takes it from whoever has it. */
  steal(name: string): Promise<Held>;
  /** Names of all locks held by anybody on this site. */
  held(): Promise<ReadonlySet<string>>;
}

/** Web Locks: across all tabs and workers of the site. */
export class WebLocks implements Locks {
  readonly #manager: LockManager;
  constructor(manager: LockManager) {
    this.#manager = manager;
  }

  take(name: string): Promise<Held | null> {
    return this.#request(name, { ifAvailable: true });
  }

  async wait(name: string, ms: number): Promise<Held | null> {
    const signal = AbortSignal.timeout(ms);
    try {
      return await this.#request(name, { signal });
    } catch (error) {
      if (named(error, "TimeoutError")) return null;
      throw error;
    }
  }

  async steal(name: string): Promise<Held> {
    const held = await this.#request(name, { steal: true });
    if (held === null)
      throw new HoldfastError("internal", `The lock ${name} was not granted to the one who steals it.`);
    return held;
  }

  async held(): Promise<ReadonlySet<string>> {
    const { held = [] } = await this.#manager.query();
    return new Set(held.map((lock) => lock.name).filter((name) => name !== undefined));
  }

  /** The platform holds a lock for as long as a callback's promise is open, so a promise is kept open. */
  #request(name: string, options: LockOptions): Promise<Held | null> {
    let lost = false;
    return new Promise((resolve, reject) => {
      this.#manager
        .request(name, options, (lock) => {
          if (lock === null) {
            resolve(null);
            return undefined;
          }
          return new Promise<void>((release) => {
            resolve({
              release,
              get lost() {
                return lost;
              },
            });
          });
        })
        // Rejects when the lock is stolen too, long after `resolve`.
        .catch((error: unknown) => {
          lost = true;
          reject(error instanceof Error ? error : new HoldfastError("internal", String(error)));
        });
    });
  }
}

/** Locks among those who share this object, where the platform has none. */
export class MemoryLocks implements Locks {
  readonly #holders = new Map<string, Held>();

  take(name: string): Promise<Held | null> {
    return Promise.resolve(this.#holders.has(name) ? null : this.#grant(name));
  }

  async wait(name: string, ms: number): Promise<Held | null> {
    const end = Date.now() + ms;
    while (this.#holders.has(name)) {
      if (Date.now() >= end) return null;
      await new Promise((resolve) => setTimeout(resolve));
    }
    return this.#grant(name);
  }

  steal(name: string): Promise<Held> {
    return Promise.resolve(this.#grant(name));
  }

  held(): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set(this.#holders.keys()));
  }

  #grant(name: string): Held {
    const holders = this.#holders;
    const held: Held = {
      release() {
        if (holders.get(name) === held) holders.delete(name);
      },
      get lost() {
        return holders.get(name) !== held;
      },
    };
    this.#holders.set(name, held);
    return held;
  }
}
