/** The storage worker, as its page holds it. In a file of its own: a library's page has no trainer worker. */
import { HoldfastError } from "../errors";
import type { StorageApi } from "./protocol";
import { WorkerClient } from "./worker-client";

export class StorageClient extends WorkerClient<StorageApi> {
  /** `unsupported` where the page is no secure context. */
  constructor(died: (error: HoldfastError) => void) {
    assertSecure();
    const name = `holdfast/storage/${crypto.randomUUID()}`;
    const worker = new Worker(new URL("./storage.worker.ts", import.meta.url), { type: "module", name });
    super(worker, name, "storage", died);
  }
}

/** Elsewhere browsers hide their storage, their locks and half of `crypto`, so whatever came first would fail, and say that. */
function assertSecure(): void {
  // What is no browser does not say.
  if (!("isSecureContext" in globalThis) || isSecureContext) return;
  throw new HoldfastError(
    "unsupported",
    "Nothing can be stored: this page is not a secure context, and browsers keep storage and locks for those. Open it by HTTPS, or on localhost; where a page embeds it, that page too.",
  );
}
