/** The storage worker, as its page holds it. In a file of its own: a library's page has no trainer worker. */
import type { HoldfastError } from "../errors";
import type { StorageApi } from "./protocol";
import { WorkerClient } from "./worker-client";

export class StorageClient extends WorkerClient<StorageApi> {
  constructor(died: (error: HoldfastError) => void) {
    const name = `holdfast/storage/${crypto.randomUUID()}`;
    const worker = new Worker(new URL("./storage.worker.ts", import.meta.url), { type: "module", name });
    super(worker, name, "storage", died);
  }
}
