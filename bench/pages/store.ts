/** One tab of the browser drill: a storage worker with a trainer in it, and what this page was told of its saves. */
import { proxy, wrap, type Remote } from "comlink";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import type { Ended, Gate, Report, StoreApi, Training } from "./store.worker";

/** Step of the newest checkpoint that was acknowledged, by run. */
export type Acknowledged = Readonly<Record<string, number>>;

export interface StorePage {
  /** Opens the store in a fresh worker, and compares everything in it. */
  readonly open: (gate?: Gate | null) => Promise<Report>;
  /** Begins to train and to save, for ever. */
  readonly train: (training: Training) => Promise<void>;
  /** Trains for so long on whatever run is to be had, and takes some from others. */
  readonly wander: (ms: number, seed: number) => Promise<void>;
  /** A few more steps and saves of this run. */
  readonly goOn: (run: string) => Promise<Report>;
  readonly remove: (run: string) => Promise<void>;
  readonly acknowledged: () => Acknowledged;
  /** How the training ended; null while it goes on. */
  readonly ended: () => Ended | null;
  /** Does the worker wait at the gate? */
  readonly atGate: () => boolean;
  readonly passGate: () => Promise<void>;
  readonly terminate: () => void;
}

declare global {
  var store: StorePage;
}

installErrorTransfer();

let worker: Worker | null = null;
let api: Remote<StoreApi> | null = null;
let acknowledged: Record<string, number> = {};
let ended: Ended | null = null;
let atGate = false;

function opened(): Remote<StoreApi> {
  if (api === null) throw new Error("The store is not open.");
  return api;
}

globalThis.store = {
  async open(gate = null) {
    worker = new Worker(new URL("./store.worker.ts", import.meta.url), { type: "module" });
    api = wrap<StoreApi>(worker);
    acknowledged = {};
    ended = null;
    return api.open(
      gate,
      proxy((run, step) => (acknowledged[run] = step)),
      proxy(() => (atGate = true)),
    );
  },
  async train(training) {
    await opened().train(
      training,
      proxy((how) => (ended = how)),
    );
  },
  wander: (ms, seed) => opened().wander(ms, seed),
  goOn: (run) => opened().goOn(run),
  remove: (run) => opened().remove(run),
  acknowledged: () => acknowledged,
  ended: () => ended,
  atGate: () => atGate,
  async passGate() {
    await opened().passGate();
    atGate = false;
  },
  terminate() {
    worker?.terminate();
  },
};
