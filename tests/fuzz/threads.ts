/** Runs a campaign on all cores, with an eye on each thread: one that stays at an input has found a hang. */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Edit } from "../simulation/threads";
import type { FuzzData, FuzzFault, FuzzReport } from "./part";
import { Tally } from "./tally";

export interface Fuzzing {
  readonly inputs: number;
  readonly seed: number;
  readonly threads: number;
  /** The only target that is fed; null: all of them. */
  readonly target?: string | null;
  /** Longer at one input is a hang. */
  readonly patienceMs?: number;
  /** Is told how many are done, time and again. */
  readonly progress?: (inputs: number, faults: number) => void;
  /** Ends at so many faults. */
  readonly stopAfter?: number;
  /** Planted into the source before it is loaded. */
  readonly edits?: readonly Edit[];
}

export interface Fuzzed {
  readonly tally: Tally;
  readonly faults: readonly FuzzFault[];
  readonly seconds: number;
}

const PATIENCE_MS = 60_000;
const LOOKS = 20;
const NOWHERE = -1;

export async function runFuzz(
  root: string,
  {
    inputs,
    seed,
    threads,
    target = null,
    patienceMs = PATIENCE_MS,
    progress,
    stopAfter = 50,
    edits = [],
  }: Fuzzing,
): Promise<Fuzzed> {
  const start = performance.now();
  const next = new SharedArrayBuffer(4);
  const tally = new Tally();
  const faults: FuzzFault[] = [];
  const take = (report: FuzzReport) => {
    tally.join(report.counts);
    faults.push(...report.faults);
    progress?.(tally.inputs, faults.length);
    if (faults.length >= stopAfter) Atomics.store(new Int32Array(next), 0, inputs);
  };
  /** Until it ends, or hangs: then another one goes on. */
  const thread = async (): Promise<void> => {
    const at = new SharedArrayBuffer(4);
    new Int32Array(at)[0] = NOWHERE;
    const data: FuzzData = { seed, inputs, target, next, at };
    const stuck = await runThread(root, { data, edits, patienceMs }, take);
    if (stuck === null) return;
    take({
      counts: new Map(),
      faults: [{ index: stuck, target: "", fault: `no end after ${patienceMs} ms` }],
    });
    if (Atomics.load(new Int32Array(next), 0) < inputs) await thread();
  };
  await Promise.all(Array.from({ length: threads }, thread));
  return { tally, faults, seconds: (performance.now() - start) / 1000 };
}

/** The index that it came to no end with; null where it has ended. */
function runThread(
  root: string,
  {
    patienceMs,
    ...what
  }: { readonly data: FuzzData; readonly edits: readonly Edit[]; readonly patienceMs: number },
  take: (report: FuzzReport) => void,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const workerData = { root, file: "../fuzz/part.ts", ...what };
    const worker = new Worker(join(root, "tests/simulation/part.mjs"), { workerData });
    const at = new Int32Array(what.data.at);
    let seen = NOWHERE;
    let looks = 0;
    const watch = setInterval(() => {
      const now = Atomics.load(at, 0);
      looks = now === seen && now !== NOWHERE ? looks + 1 : 0;
      seen = now;
      if (looks < LOOKS) return;
      end();
      void worker.terminate();
      resolve(now);
    }, patienceMs / LOOKS);
    const end = () => {
      clearInterval(watch);
    };
    worker.on("message", take);
    worker.on("error", (error) => {
      end();
      reject(error);
    });
    worker.on("exit", () => {
      end();
      resolve(null);
    });
  });
}
