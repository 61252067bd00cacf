/**
 * A run that is read and written in several pieces where small ones take one: a journal of more than a mebibyte, and
 * states of more than one chunk. As its own exporter leaves it, in both forms.
 */
import type { Bytes } from "../../src/format/bytes";
import type { JournalRows } from "../../src/format/run";
import type { State } from "../../src/format/tensors";
import { exportRuns } from "./bundles";
import { sampleRequest, sampleState } from "./run-samples";
import { begun } from "./store-parts";

/** No other run's, so that it comes in as itself wherever it does. */
export const LARGE_RUN = "rlarge";

const STEPS = 40_000;
const MIDDLE = 25_000;
/** 2.4 MB: two chunks, and a piece of another one. */
const FLOATS = 600_000;

export interface LargeBundle {
  readonly form: "whole" | "compact";
  readonly bytes: Bytes;
}

/** Numbers that move a little, as weights do, so that the compact form has differences. */
function largeState(step: number): State {
  const { tensors, scalars } = sampleState(step, 1);
  const values = Float32Array.from(
    { length: FLOATS },
    (_, at) => Math.fround(((at * 7919) % 8191) / 8191) + step * 1e-7,
  );
  const weights = { name: "param/weights", dtype: "float32", shape: [FLOATS], values } as const;
  return { tensors: tensors.map((one) => (one.name === weights.name ? weights : one)), scalars };
}

function largeRows(from: number, to: number): JournalRows {
  const rows = (of: (step: number) => number) =>
    Float32Array.from({ length: to - from + 1 }, (_, at) => of(from + at));
  return {
    from,
    loss: rows((step) => 2 + Math.sin(step)),
    rate: rows((step) => 0.01 / step),
    ms: rows((step) => 20 + (step % 97) / 97),
  };
}

export async function largeBundles(): Promise<readonly LargeBundle[]> {
  const { manager, parts, lease } = await begun(undefined, undefined, undefined, {
    id: LARGE_RUN,
    steps: STEPS,
  });
  let saved = 0;
  for (const step of [MIDDLE, STEPS]) {
    const request = sampleRequest(step, largeRows(saved + 1, step));
    await manager.save(lease, { ...request, state: largeState(step) });
    saved = step;
  }
  await manager.release(lease);
  const bundles: LargeBundle[] = [];
  for (const form of ["whole", "compact"] as const) {
    const file = await exportRuns(manager, parts, [LARGE_RUN], { isCompact: form === "compact" });
    bundles.push({ form, bytes: new Uint8Array(await file.arrayBuffer()) });
  }
  await manager.close();
  return bundles;
}
