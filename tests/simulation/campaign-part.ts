/** One thread of a campaign. It takes a handful of seeds at a time, of whichever cell has the fewest images. */
import { Campaign, CELLS, IMAGES_PER_FAILURE } from "./campaign";
import { SharedSeen } from "./seen";
import type { CampaignData, Found } from "./threads";

/** Seeds of a cell in a row that gave nothing new, after which it counts as seen through. */
const SEEN_THROUGH = 4000;

export async function work(
  { states, stopAfter, ...shared }: CampaignData,
  post: (found: Found) => void,
): Promise<void> {
  const next = new Int32Array(shared.next);
  const done = new Int32Array(shared.done);
  const total = CELLS.length;
  const faults = CELLS.length + 1;
  const campaign = new Campaign(new SharedSeen(shared.seen));
  const idle = CELLS.map(() => 0);
  while (Atomics.load(done, total) < states && Atomics.load(done, faults) < stopAfter) {
    const open = [...CELLS.keys()].filter((cell) => (idle[cell] ?? 0) < SEEN_THROUGH);
    const [first] = open;
    if (first === undefined) return;
    const cell = open.reduce(
      (least, one) => (Atomics.load(done, one) < Atomics.load(done, least) ? one : least),
      first,
    );
    const chosen = CELLS[cell];
    if (chosen === undefined) return;
    const from = Atomics.add(next, cell, IMAGES_PER_FAILURE);
    for (let seed = from; seed < from + IMAGES_PER_FAILURE; seed++) {
      const { known, fault } = await campaign.examine({ ...chosen, seed });
      idle[cell] = known ? (idle[cell] ?? 0) + 1 : 0;
      if (known) continue;
      Atomics.add(done, cell, 1);
      Atomics.add(done, total, 1);
      if (fault === null) continue;
      Atomics.add(done, faults, 1);
      post({ ...chosen, seed, fault });
    }
  }
}
