/** Ready-made policies, from one that keeps much to one that keeps little. */
import type { KeepRule, Policy, SaveRule } from "../format/run";

/** Names of ready-made policies. */
export type PolicyName = "explore" | "steady" | "lean";

/** When to save and what to keep. */
export interface PolicyPreset {
  readonly save: Extract<SaveRule, { readonly kind: "auto" }>;
  readonly keep: readonly KeepRule[];
}

const DAY_SECONDS = 86_400;

/**
 * `explore` keeps much and returns fast, `lean` keeps little; `steady` is what a run gets that asks for nothing.
 *
 * @example
 * const run = await store.open("digits", trainer, { policy: POLICIES.lean });
 */
export const POLICIES: Readonly<Record<PolicyName, PolicyPreset>> = {
  explore: {
    save: { kind: "auto", returnSeconds: 2, overhead: 0.05 },
    keep: [
      { kind: "latest", count: 5 },
      { kind: "best", metric: "val_loss", mode: "min", count: 3 },
      { kind: "spaced", density: 128 },
      { kind: "used", seconds: 7 * DAY_SECONDS },
    ],
  },
  steady: {
    save: { kind: "auto", returnSeconds: 5, overhead: 0.02 },
    keep: [
      { kind: "latest", count: 3 },
      { kind: "best", metric: "val_loss", mode: "min", count: 2 },
      { kind: "spaced", density: 64 },
      { kind: "used", seconds: 3 * DAY_SECONDS },
    ],
  },
  lean: {
    save: { kind: "auto", returnSeconds: 15, overhead: 0.01 },
    keep: [
      { kind: "latest", count: 2 },
      { kind: "best", metric: "val_loss", mode: "min", count: 1 },
      { kind: "spaced", density: 8 },
    ],
  },
};

/** Evaluations over the steps that a run is asked for. */
const EVALUATIONS = 20;

/** What a person gets who asks for nothing, for a run of so many steps. */
export function defaultPolicy(steps: number): Policy {
  return { ...POLICIES.steady, draw: true, evaluate: Math.max(1, Math.round(steps / EVALUATIONS)) };
}

/** Which of them these rules are; null for none of them. */
export function nameOfRules(keep: readonly KeepRule[] | undefined): PolicyName | null {
  const wanted = JSON.stringify(keep);
  const found = Object.entries(POLICIES).find(([, preset]) => JSON.stringify(preset.keep) === wanted);
  return (found?.[0] as PolicyName | undefined) ?? null;
}
