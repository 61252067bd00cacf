/** Runs a campaign on all cores, and says what came of it. */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { CELLS, type Case } from "./campaign";

export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Found extends Case {
  readonly fault: string;
}

export interface Outcome {
  /** Distinct images by cell, in the order of `CELLS`, and in all. */
  readonly images: readonly number[];
  readonly total: number;
  readonly faults: readonly Found[];
  readonly seconds: number;
}

export interface Campaigning {
  readonly states: number;
  /** First seed of each cell. */
  readonly seed: number;
  readonly threads: number;
  /** Ends at so many faults. */
  readonly stopAfter?: number;
  /** Planted into the source before it is loaded. */
  readonly edits?: readonly Edit[];
}

/** What the threads of a campaign share. */
export interface CampaignData {
  /** How many images are wanted in all, and after how many faults it ends. */
  readonly states: number;
  readonly stopAfter: number;
  readonly seen: SharedArrayBuffer;
  /** Next seed of each cell. */
  readonly next: SharedArrayBuffer;
  /** Images of each cell, then of all, then faults. */
  readonly done: SharedArrayBuffer;
}

const SLOTS_PER_IMAGE = 4;
const MIN_SLOTS = 1 << 16;

/** Has `work` of a module of this folder run in its own thread; resolves when it has ended. */
export function inThread(
  root: string,
  file: string,
  { data, edits = [] }: { readonly data: object; readonly edits?: readonly Edit[] },
  take: (message: unknown) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const workerData = { root, file, edits, data };
    const worker = new Worker(join(root, "tests/simulation/part.mjs"), { workerData });
    worker.on("message", take);
    worker.on("error", reject);
    worker.on("exit", () => {
      resolve();
    });
  });
}

export async function runCampaign(
  root: string,
  { states, seed, threads, stopAfter = 20, edits = [] }: Campaigning,
): Promise<Outcome> {
  const start = performance.now();
  const seen = new SharedArrayBuffer(8 * Math.max(MIN_SLOTS, SLOTS_PER_IMAGE * states));
  const next = new SharedArrayBuffer(4 * CELLS.length);
  new Int32Array(next).fill(seed);
  const done = new SharedArrayBuffer(4 * (CELLS.length + 2));
  const data: CampaignData = { states, stopAfter, seen, next, done };
  const faults: Found[] = [];
  const part = () =>
    inThread(root, "campaign-part.ts", { data, edits }, (found) => {
      faults.push(found as Found);
    });
  await Promise.all(Array.from({ length: threads }, part));
  const counts = [...new Int32Array(done)];
  return {
    images: counts.slice(0, CELLS.length),
    total: counts[CELLS.length] ?? 0,
    faults,
    seconds: (performance.now() - start) / 1000,
  };
}
