/**
 * Something long in a worker, as the page holds it: told how far it is, and ended when nobody wants it any more. One
 * port to a job; a worker that dies takes it along, and the call itself says so.
 */
import type { Watcher } from "./protocol";

interface Told {
  readonly done: number;
  readonly total: number;
}

const TOLD_MS = 100;

/** The page's side. `call` is handed the port for the other one. */
export async function asJob<T>(
  { signal, progress }: Watcher,
  call: (port: MessagePort) => Promise<T>,
): Promise<T> {
  const { port1, port2 } = new MessageChannel();
  const cancel = (): void => {
    port1.postMessage("cancel");
  };
  port1.addEventListener("message", ({ data }: MessageEvent<Told>) => {
    progress?.(data.done, data.total);
  });
  port1.start();
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted === true) cancel();
  try {
    return await call(port2);
  } finally {
    signal?.removeEventListener("abort", cancel);
    port1.close();
  }
}

/** The worker's side: does the work, telling how far it is. */
export async function doJob<T>(
  port: MessagePort,
  work: (watcher: Required<Watcher>) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  let told = Number.NEGATIVE_INFINITY;
  port.addEventListener("message", () => {
    ending.abort();
  });
  port.start();
  try {
    return await work({
      signal: ending.signal,
      progress: (done, total) => {
        const now = performance.now();
        if (now - told < TOLD_MS && done < total) return;
        told = now;
        port.postMessage({ done, total } satisfies Told);
      },
    });
  } finally {
    port.close();
  }
}
