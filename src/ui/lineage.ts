/** The family of a run: where it comes from, and what was forked from it. */
import type { RunInfo } from "../worker/protocol";

export interface Relative {
  /** Null where it was deleted. */
  readonly run: RunInfo | null;
  readonly id: string;
  /** Step of its parent that it began at; null for a run that began by itself. */
  readonly from: number | null;
  /** In the order of the steps that they began at. */
  readonly forks: readonly Relative[];
}

/** The tree that `id` is in; null where it has no relative. */
export function familyOf(runs: readonly RunInfo[], id: string): Relative | null {
  const byId = new Map(runs.map((run) => [run.id, run]));
  const children = new Map<string, RunInfo[]>();
  for (const run of runs)
    if (run.parent !== null) children.set(run.parent.run, [...(children.get(run.parent.run) ?? []), run]);
  const tree = relativeOf(rootOf(byId, id), byId, children, new Set());
  return tree.forks.length === 0 ? null : tree;
}

/** Ids of all that were forked from a run, and from those. */
export function forksOf(runs: readonly RunInfo[], id: string): readonly string[] {
  const found = new Set([id]);
  // Newer than what they come from, so one pass in the order of their making finds them all.
  for (const { id: run, parent } of runs.toSorted((a, b) => a.created - b.created))
    if (parent !== null && found.has(parent.run)) found.add(run);
  found.delete(id);
  return [...found];
}

/** The oldest ancestor that is known by name, a deleted one too. */
function rootOf(byId: ReadonlyMap<string, RunInfo>, id: string): string {
  const seen = new Set<string>();
  let root = id;
  for (
    let parent = byId.get(root)?.parent;
    parent != null && !seen.has(root);
    parent = byId.get(root)?.parent
  ) {
    seen.add(root);
    root = parent.run;
  }
  return root;
}

function relativeOf(
  id: string,
  byId: ReadonlyMap<string, RunInfo>,
  children: ReadonlyMap<string, readonly RunInfo[]>,
  seen: Set<string>,
): Relative {
  seen.add(id);
  const run = byId.get(id) ?? null;
  const forks = (children.get(id) ?? [])
    .filter((child) => !seen.has(child.id))
    .toSorted((a, b) => (a.parent?.step ?? 0) - (b.parent?.step ?? 0) || a.created - b.created)
    .map((child) => relativeOf(child.id, byId, children, seen));
  return { run, id, from: run?.parent?.step ?? null, forks };
}
