/** What must be, may be and must not be in a store whose log was cut at a boundary, from what its tabs were told. */
import type { RunEventBody } from "../../src/format/run";
import { KEEP, type Fact } from "./world";

export type Presence = "must" | "may" | "must not";

export interface ExpectedRun {
  /** In the list of runs. */
  readonly listed: Presence;
  /** Newest step that was acknowledged, and newest that was asked for; -1 for none. */
  readonly acknowledged: number;
  readonly asked: number;
  /** What is there at all has this step: an import is whole or not there. */
  readonly least: number;
  readonly names: ReadonlySet<string>;
  /** What was put on it; whichever of these it may be. */
  readonly notes: ReadonlySet<string>;
  /** As JSON. */
  readonly rules: ReadonlySet<string>;
  readonly pins: readonly { readonly step: number; readonly certain: boolean }[];
  /** Those that were asked for, in order; the certain ones were acknowledged. */
  readonly events: readonly { readonly body: RunEventBody; readonly certain: boolean }[];
  /** Steps whose checkpoint was acknowledged. */
  readonly saved: readonly number[];
  /** Those of them that were asked for after the packs had been cleared: these must be there. */
  readonly since: readonly number[];
  /** Steps that a fork began at, which stay. */
  readonly forkedAt: readonly number[];
  /** It was being deleted for good, so any part of it may be gone. */
  readonly partial: boolean;
}

const UNTOUCHED: ExpectedRun = {
  listed: "must not",
  acknowledged: -1,
  asked: -1,
  least: -1,
  names: new Set(),
  notes: new Set([""]),
  rules: new Set(),
  pins: [],
  events: [],
  saved: [],
  since: [],
  forkedAt: [],
  partial: false,
};

/**
 * By run. `wiped`: the catalogue is lost, and with it what was on its way out for good. `cleared`: where in the log
 * the person cleared the site's data.
 */
export function expectedAt(
  facts: readonly Fact[],
  boundary: number,
  {
    wiped,
    cleared,
    packsCleared,
  }: { readonly wiped: boolean; readonly cleared: readonly number[]; readonly packsCleared: number },
): ReadonlyMap<string, ExpectedRun> {
  const runs = new Map<string, ExpectedRun>();
  const lastClear = Math.max(-1, ...cleared.filter((at) => at <= boundary));
  for (const fact of facts) {
    const wasCleared = fact.answered !== null && fact.answered <= lastClear;
    if (fact.begun > boundary || wasCleared) continue;
    const certain = fact.answered !== null && fact.answered <= boundary;
    const run = runs.get(fact.run) ?? UNTOUCHED;
    const next = after(run, fact, certain, wiped);
    const since = fact.kind === "saved" && certain && fact.begun >= packsCleared ? [fact.step] : [];
    runs.set(fact.run, { ...next, since: [...next.since, ...since] });
    if (fact.kind !== "created" || fact.parent === null || !certain) continue;
    const parent = runs.get(fact.parent);
    if (parent?.saved.includes(fact.step) === true)
      runs.set(fact.parent, { ...parent, forkedAt: [...parent.forkedAt, fact.step] });
  }
  return runs;
}

function after(run: ExpectedRun, fact: Fact, certain: boolean, wiped: boolean): ExpectedRun {
  switch (fact.kind) {
    case "created":
      return {
        ...run,
        listed: certain ? "must" : "may",
        acknowledged: certain ? fact.step : -1,
        asked: fact.step,
        saved: certain ? [fact.step] : [],
        names: new Set(["sample"]),
        rules: new Set([JSON.stringify(KEEP)]),
      };
    case "imported":
      return {
        ...run,
        listed: certain ? "must" : "may",
        acknowledged: certain ? fact.step : -1,
        asked: fact.step,
        least: fact.step,
        names: new Set(["sample"]),
        rules: new Set([JSON.stringify(KEEP)]),
      };
    case "saved":
      return {
        ...run,
        // A run of which nothing else is left was saved into a store that had been cleared.
        listed: certain && run.names.size === 0 ? "must" : run.listed,
        asked: Math.max(run.asked, fact.step),
        acknowledged: certain ? Math.max(run.acknowledged, fact.step) : run.acknowledged,
        saved: certain ? [...run.saved, fact.step] : run.saved,
      };
    case "event":
      return { ...run, events: [...run.events, { body: fact.body, certain }] };
    case "named":
      return { ...run, names: new Set(certain ? [fact.name] : [...run.names, fact.name]) };
    case "noted":
      return { ...run, notes: new Set(certain ? [fact.note] : [...run.notes, fact.note]) };
    case "pinned":
      return { ...run, pins: [...run.pins, { step: fact.step, certain }] };
    case "ruled": {
      const keep = JSON.stringify(fact.keep);
      return { ...run, rules: new Set(certain ? [keep] : [...run.rules, keep]) };
    }
    case "removed":
      return { ...run, listed: certain ? "must not" : "may" };
    case "restored":
      return { ...run, listed: certain ? "must" : "may" };
    case "erased":
      if (run.listed === "must") return run;
      // Without its catalogue a store knows of no deletion but the trash, and may have any part of the run.
      return {
        ...run,
        listed: wiped ? "may" : run.listed,
        acknowledged: -1,
        forkedAt: [],
        partial: true,
      };
  }
}
