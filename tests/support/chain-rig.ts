/** A run whose states differ little from each other, so that its checkpoints lean on each other. */
import type { RunRecord } from "../../src/format/run";
import type { State } from "../../src/format/tensors";
import { sampleRequest, sampleRows } from "./run-samples";
import { begun, RUN } from "./store-parts";

const WEIGHTS = 20_000;

/** Weights that move a little with each step, and a table that does not. */
export function trained(step: number): State {
  const weights = Float32Array.from(
    { length: WEIGHTS },
    (_, at) => Math.sin(at) + step * 1e-6 * Math.cos(at * 7),
  );
  const frozen = Int32Array.from({ length: WEIGHTS }, (_, at) => Math.imul(at, 0x9e3779b1));
  return {
    tensors: [
      { name: "param/weights", dtype: "float32", shape: [WEIGHTS], values: weights },
      { name: "param/frozen", dtype: "int32", shape: [WEIGHTS], values: frozen },
    ],
    scalars: { step, samples: step * 8, counters: { t: step } },
  };
}

/** A run with S_0 and states of 1 … `steps`, one checkpoint each. */
export async function saved(steps: number, record: Partial<RunRecord> = {}, stateOf = trained) {
  const store = await begun(undefined, undefined, undefined, record);
  const save = (step: number) =>
    store.manager.save(store.lease, { ...sampleRequest(step, sampleRows(step, step)), state: stateOf(step) });
  for (let step = 1; step <= steps; step++) await save(step);
  await store.manager.idle();
  const manifestOf = async (step: number) => (await store.manager.read(RUN, step)).manifest;
  const rowOf = (step: number) => store.disk.catalog.read((tx) => tx.at("checkpoints", RUN, step));
  const flip = (place: { readonly pack: string; readonly offset: number; readonly length: number }) => {
    const file = store.disk.files.get(place.pack);
    if (file === undefined) throw new Error("no such pack");
    file.bytes[place.offset + 120]! ^= 1;
  };
  return { ...store, save, manifestOf, rowOf, flip };
}
