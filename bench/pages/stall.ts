/** The bench's page: its own trainer worker beside the app's storage worker. */
import { transfer, wrap } from "comlink";
import { StorageClient } from "../../src/worker/storage-client";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import type { StallApi, Stretch } from "./stall.worker";

export interface StallResult {
  readonly adapter: string;
  readonly stateBytes: number;
  readonly saving: readonly Stretch[];
  readonly idle: readonly Stretch[];
  readonly tfjs: readonly number[];
}

declare global {
  /** Hears of each turn, if the bench put it there. */
  var told: ((saving: Stretch | undefined, idle: Stretch | undefined) => void) | undefined;
  var measureStall: (
    turns: number,
    savingSteps: number,
    idleSteps: number,
    saveEvery: number,
    tfjsSaves: number,
  ) => Promise<StallResult>;
}

globalThis.measureStall = async (turns, savingSteps, idleSteps, saveEvery, tfjsSaves) => {
  installErrorTransfer();
  const storage = new StorageClient((error) => {
    throw error;
  });
  const worker = new Worker(new URL("./stall.worker.ts", import.meta.url), { type: "module" });
  const trainer = wrap<StallApi>(worker);
  const { port1, port2 } = new MessageChannel();
  await storage.api.connect(transfer(port1, [port1]));
  await trainer.connect(transfer(port2, [port2]));
  const { adapter, stateBytes } = await trainer.prepare();
  const saving: Stretch[] = [];
  const idle: Stretch[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    idle.push(await trainer.train(idleSteps, 0));
    saving.push(await trainer.train(savingSteps, saveEvery));
    globalThis.told?.(saving[turn], idle[turn]);
  }
  return { adapter, stateBytes, saving, idle, tfjs: await trainer.tfjsSaves(tfjsSaves) };
};
