/**
 * What was done to each run, and by which tab: a chain of entries, each with the hash of the one before it, so that one which
 * is changed or taken out afterwards is found, but for the newest. What changes the store is told in the transaction that
 * does it, so there is neither without the other; what only reads it, and a take-over, shortly after.
 *
 * It lies in the catalogue alone: where the browser loses that, the chain begins anew and says so. Who can write to the
 * site's database can make up a whole chain; noting its last hash elsewhere shows that.
 */
import { RunningHash } from "../format/running-hash";
import type { AuditEntry, AuditLog, AuditNote } from "../format/stored";
import { randomId } from "./pack-store";
import type { CatalogWriter } from "./tables";

/** Entries that each run keeps: three hours of saves every few seconds, or a year of what people do. */
const KEPT = 4096;
/** What the first entry has before it. */
const NOTHING = "";
/** For what concerns the store as a whole. */
export const STORE = "";

const TAB = randomId(4);

/** Adds an entry. Its hash is computed at once: a transaction of IndexedDB ends while it waits for anything else. */
export async function noted(tx: CatalogWriter, note: AuditNote): Promise<void> {
  const last = await tx.last("audit", note.run);
  const link = { ...note, seq: (last?.seq ?? 0) + 1, tab: TAB, before: last?.hash ?? NOTHING };
  await tx.put("audit", { ...link, hash: hashOf(link) });
  await tx.removeAt("audit", note.run, link.seq - KEPT);
}

const MOST_STEPS = 20;

/** Adds an entry for checkpoints that were let go of; none where none were. */
export async function notedAsPruned(
  tx: CatalogWriter,
  run: string,
  time: number,
  steps: readonly number[],
): Promise<void> {
  if (steps.length === 0) return;
  const named = steps.slice(0, MOST_STEPS).join(", ");
  const why =
    steps.length > MOST_STEPS ? `steps ${named} and ${steps.length - MOST_STEPS} more` : `steps ${named}`;
  await noted(tx, { run, time, what: "pruned", step: null, why, ms: null });
}

/** Takes a run's entries with the run, and leaves one that says so, with the hash that they ended in. */
export async function notedAsDeleted(
  tx: CatalogWriter,
  run: string,
  name: string,
  time: number,
): Promise<void> {
  const last = await tx.last("audit", run);
  await tx.removeOf("audit", run);
  const why = `the run ${run}, "${name}", for good; its log ended in ${last?.hash ?? "nothing"}`;
  await noted(tx, { run: STORE, time, what: "deleted", step: null, why, ms: null });
}

/** The entries of these chains, by time, and what is wrong with them. Between two chains others have their turn. */
export async function auditOf(chains: readonly (readonly AuditEntry[])[]): Promise<AuditLog> {
  const broken: string[] = [];
  for (const chain of chains) {
    const problem = problemOf(chain);
    if (problem !== null) broken.push(problem);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const entries = chains.flat().sort((a, b) => a.time - b.time || a.seq - b.seq);
  return { entries, broken };
}

/** The first link that does not hold, in words; null where all do. */
export function problemOf(chain: readonly AuditEntry[]): string | null {
  for (const [index, entry] of chain.entries()) {
    const before = chain[index - 1];
    const { hash, ...link } = entry;
    const where = `entry ${entry.seq} of ${entry.run === STORE ? "the store" : `run ${entry.run}`}`;
    if (hashOf(link) !== hash) return `${where} was changed after it was written`;
    // The oldest go only where there are too many.
    const mayBeFirst = entry.seq === 1 ? entry.before === NOTHING : chain.length === KEPT;
    if (before === undefined && !mayBeFirst) return `${where} follows on one that is missing`;
    if (before !== undefined && (entry.seq !== before.seq + 1 || entry.before !== before.hash))
      return `${where} does not follow on entry ${before.seq}`;
  }
  return null;
}

function hashOf(link: Omit<AuditEntry, "hash">): string {
  const { run, seq, time, tab, what, step, why, ms, before } = link;
  const text = JSON.stringify([run, seq, time, tab, what, step, why, ms, before]);
  return new RunningHash().add(new TextEncoder().encode(text)).hex();
}
