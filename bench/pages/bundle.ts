/** Holds one storage worker at a time, so that what one phase took is gone in the next. */
import { wrap, type Remote } from "comlink";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import type { BundleBench } from "./bundle.worker";

declare global {
  var bundles: BundleBench & { readonly fresh: () => Promise<void> };
}

installErrorTransfer();

let worker: Worker | null = null;
let api: Remote<BundleBench> | null = null;

function opened(): Remote<BundleBench> {
  worker ??= new Worker(new URL("./bundle.worker.ts", import.meta.url), { type: "module" });
  api ??= wrap<BundleBench>(worker);
  return api;
}

globalThis.bundles = {
  fill: (checkpoints, parameters) => opened().fill(checkpoints, parameters),
  exported: (compact) => opened().exported(compact),
  imported: () => opened().imported(),
  end: () => opened().end(),
  async fresh() {
    await api?.end();
    worker?.terminate();
    [worker, api] = [null, null];
    // Loads what the worker needs, and its store.
    await opened().end();
  },
};
