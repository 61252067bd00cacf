/** What a checkpoint is worth: how it is shown, and which go first when space gets short. */
import type { Tier } from "../format/stored";
import type { KeepReason } from "./keep";

/** Kept for what they are, and not for when they were made. */
const FOR_GOOD: ReadonlySet<KeepReason["kind"]> = new Set(["best", "first", "forked", "pinned", "tagged"]);

/**
 * `archive`: the best, the first, and what a person or a fork holds on to; `milestone`: evaluated on held-out data; `recent`:
 * all others. `why`: the reasons that it is kept for.
 */
export function tierOf(why: readonly KeepReason[], metrics: Readonly<Record<string, number>>): Tier {
  if (why.some(({ kind }) => FOR_GOOD.has(kind))) return "archive";
  return Object.keys(metrics).some((name) => name !== "loss") ? "milestone" : "recent";
}
