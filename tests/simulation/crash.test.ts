/** A sample of what `npm run drill -- crash` does at length. */
import { expect, suite, test } from "vitest";
import { catalogConforms } from "../support/catalog-conforms";
import { packStoreConforms } from "../support/pack-store-conforms";
import { Campaign, KINDS, WORKLOAD_NAMES } from "./campaign";
import { EMPTY, RecordingDisk } from "./disk";

// The simulation stands in for a real store, so it has to behave as one.
packStoreConforms("the recording disk", () => Promise.resolve(new RecordingDisk(EMPTY)));
catalogConforms("the recording disk", () => Promise.resolve(new RecordingDisk(EMPTY).catalog));

const SEEDS = 12;

suite("any crash", () => {
  test.each(WORKLOAD_NAMES.map((name) => [name]))(
    "during %s loses nothing that was acknowledged",
    async (workload) => {
      const campaign = new Campaign();
      const faults: string[] = [];
      let images = 0;
      for (const kind of KINDS) {
        for (let seed = 0; seed < SEEDS; seed++) {
          const { fault, known } = await campaign.examine({ workload, kind, seed });
          if (!known) images++;
          if (fault !== null) faults.push(`${kind}, seed ${seed}: ${fault}`);
        }
      }
      expect(faults).toEqual([]);
      expect(images).toBeGreaterThan(SEEDS);
    },
  );
});
