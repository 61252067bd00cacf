/** Runs both loops side by side, in turns, so that whatever else the machine does falls on both. */
import { wrap } from "comlink";
import type { ExactApi, Job, Prepared } from "./exact.worker";

export interface Measured {
  readonly exact: Prepared;
  readonly plain: Prepared;
  /** Steps per second of each turn. */
  readonly exactRates: readonly number[];
  readonly plainRates: readonly number[];
}

declare global {
  var measure: (job: Omit<Job, "loop">, steps: number, turns: number) => Promise<Measured>;
}

globalThis.measure = async (job, steps, turns) => {
  const [exact, plain] = (["exact", "plain"] as const).map((loop) => {
    const worker = new Worker(new URL("./exact.worker.ts", import.meta.url), { type: "module", name: loop });
    return { worker, api: wrap<ExactApi>(worker), loop };
  });
  if (exact === undefined || plain === undefined) throw new Error("two workers were asked for");
  const prepared = {
    exact: await exact.api.prepare({ ...job, loop: "exact" }),
    plain: await plain.api.prepare({ ...job, loop: "plain" }),
  };
  const exactRates: number[] = [];
  const plainRates: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    exactRates.push(steps / (await exact.api.time(steps)));
    plainRates.push(steps / (await plain.api.time(steps)));
  }
  exact.worker.terminate();
  plain.worker.terminate();
  return { ...prepared, exactRates, plainRates };
};
