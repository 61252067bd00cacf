/**
 * How a page knows at once that a worker of its died.
 *
 * No event tells it that a worker ran out of memory or was ended. But a lock ends with its holder: the worker holds
 * one by its own name for as long as it lives, and the page waits for it. A worker that hangs still holds it, so
 * silence is watched beside this. Where the browser has no locks, silence is all there is.
 */

/** In a worker: takes the lock by the worker's name, for good. Resolves once it is held. */
export function holdLife(): Promise<void> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(
        self.name,
        () =>
          new Promise<never>(() => {
            resolve();
          }),
      )
      .catch(reject);
  });
}

/** In the page, once `holdLife` has resolved in the worker of that name: resolves when the worker is gone. */
export async function lifeEnds(name: string): Promise<void> {
  await navigator.locks.request(name, () => undefined);
}
