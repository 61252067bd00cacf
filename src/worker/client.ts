/** The trainer worker, as its page holds it. */
import { transfer } from "comlink";
import type { HoldfastError } from "../errors";
import type { TrainApi, TrainEvent } from "./protocol";
import type { StorageClient } from "./storage-client";
import { WorkerClient } from "./worker-client";

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
