/** One thread of a campaign: takes a handful of inputs at a time, and says which one it is at. */
import { examine, targetsBy } from "./campaign";
import { Tally, type Count } from "./tally";

/** What the threads of a campaign share. */
export interface FuzzData {
  readonly seed: number;
  readonly inputs: number;
  /** The only one that is fed; null: all of them. */
  readonly target: string | null;
  /** Index of the next input that nobody has. */
  readonly next: SharedArrayBuffer;
  /** Where this thread is: an index. */
  readonly at: SharedArrayBuffer;
}

/** What came of a handful of inputs. */
export interface FuzzReport {
  readonly counts: ReadonlyMap<string, Count>;
  readonly faults: readonly FuzzFault[];
}

export interface FuzzFault {
  readonly index: number;
  readonly target: string;
  readonly fault: string;
}

const HANDFUL = 100;

export async function work(
  { seed, inputs, target, ...shared }: FuzzData,
  post: (report: FuzzReport) => void,
): Promise<void> {
  const next = new Int32Array(shared.next);
  const at = new Int32Array(shared.at);
  const targets = await targetsBy(target);
  for (;;) {
    const from = Atomics.add(next, 0, HANDFUL);
    if (from >= inputs) return;
    const tally = new Tally();
    const faults: FuzzFault[] = [];
    for (let index = from; index < Math.min(from + HANDFUL, inputs); index++) {
      Atomics.store(at, 0, index);
      const start = performance.now();
      const { target: fed, outcome } = await examine(targets, seed, index);
      tally.add(fed, outcome, performance.now() - start);
      if (outcome.fault !== null) faults.push({ index, target: fed, fault: outcome.fault });
    }
    post({ counts: tally.counts, faults });
  }
}
