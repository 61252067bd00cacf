/** The bench's page: one worker trains, another one measures what came of it, with a core of its own. */
import { transfer, wrap } from "comlink";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import type { CodecApi, CodecResult } from "./codec.worker";
import type { StatesApi } from "./states.worker";

declare global {
  var measureCodec: (
    preset: "tiny" | "small",
    steps: readonly number[],
    rounds: number,
  ) => Promise<CodecPage>;
}

export interface CodecPage {
  readonly adapter: string;
  readonly stateBytes: number;
  readonly codecs: Readonly<Record<string, CodecResult>>;
  /** Order-0 entropy of the difference planes of each later state, relative to raw. */
  readonly floors: readonly number[];
}

globalThis.measureCodec = async (preset, steps, rounds) => {
  installErrorTransfer();
  const trainer = new Worker(new URL("./states.worker.ts", import.meta.url), { type: "module" });
  const { adapter, states } = await wrap<StatesApi>(trainer).train(preset, steps);
  trainer.terminate();
  const worker = new Worker(new URL("./codec.worker.ts", import.meta.url), { type: "module" });
  const buffers = states.flatMap((chunks) => chunks.map(({ buffer }) => buffer));
  const measured = await wrap<CodecApi>(worker).measure(transfer(states, buffers), rounds);
  return { adapter, ...measured };
};
