/** Holds one storage worker at a time, so that what one phase took is gone in the next. */
import { wrap, type Remote } from "comlink";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import type { LargeApi } from "./large.worker";

declare global {
  /** `begin` starts a fresh worker and makes ready for the phase, `run` does it and resolves to its seconds. */
  var large: {
    readonly begin: (phase: Phase, parameters: number) => Promise<void>;
    readonly run: () => Promise<number>;
  };
}

export type Phase = "save" | "saveDelta" | "restore" | "rawWrite" | "rawRead";

installErrorTransfer();

let worker: Worker | null = null;
let api: Remote<LargeApi> | null = null;

globalThis.large = {
  async begin(phase, parameters) {
    // Saving twice goes on in one worker: a difference needs the writer of its keyframe.
    if (phase !== "saveDelta") {
      await api?.end();
      worker?.terminate();
      worker = new Worker(new URL("./large.worker.ts", import.meta.url), { type: "module" });
      api = wrap<LargeApi>(worker);
    }
    await api?.begin(phase, parameters);
  },
  run: async () => (await api?.run()) ?? Number.NaN,
};
