/**
 * Which checkpoints of a run stay, and why: a union of rules over plain data. Time is an argument.
 *
 * Whatever the rules, these stay: the first one, the newest whole one, those that a person pinned or tagged, and those
 * that a fork began at. A checkpoint that goes can still be returned to, by computing its steps again.
 */
import type { KeepRule, Policy } from "../format/run";

/** A checkpoint, as the rules see it. */
export interface Candidate {
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly damaged: boolean;
  readonly forked: boolean;
  readonly pinned: boolean;
  readonly tagged: boolean;
  /** When somebody last restored, compared or exported it, milliseconds since 1970; null: never. */
  readonly used: number | null;
}

/** Why a checkpoint stays: a rule of the policy, or one that always holds. */
export type KeepReason =
  KeepRule | { readonly kind: "first" | "newest" | "forked" | "pinned" | "tagged" | "damaged" };

/** Damaged ones that stay, to be named. */
const DAMAGED_KEPT = 20;

/** The rules of runs from before there were any. */
const FORMER_RULES: readonly KeepRule[] = [{ kind: "latest", count: 20 }];

/** The rules of a policy; what it stops early by is kept too. */
export function rulesOf({ keep = FORMER_RULES, stop }: Policy): readonly KeepRule[] {
  if (stop === undefined) return keep;
  const { metric, mode } = stop;
  return [...keep, { kind: "best", metric, mode, count: 1 }];
}

/** For each checkpoint that stays, by step, all reasons why. `candidates`: all of a run, in the order of their steps. */
export function keepers(
  rules: readonly KeepRule[],
  candidates: readonly Candidate[],
  now: number,
): ReadonlyMap<number, readonly KeepReason[]> {
  const whole = candidates.filter(({ damaged }) => !damaged);
  const claims: (readonly [KeepReason, readonly Candidate[]])[] = [
    [{ kind: "first" }, candidates.slice(0, 1)],
    [{ kind: "newest" }, whole.slice(-1)],
    [{ kind: "pinned" }, candidates.filter(({ pinned }) => pinned)],
    [{ kind: "tagged" }, candidates.filter(({ tagged }) => tagged)],
    [{ kind: "forked" }, candidates.filter(({ forked }) => forked)],
    [{ kind: "damaged" }, candidates.filter(({ damaged }) => damaged).slice(-DAMAGED_KEPT)],
    ...rules.map((rule) => [rule, claimed(rule, whole, now)] as const),
  ];
  const kept = new Map<number, KeepReason[]>();
  for (const [reason, list] of claims)
    for (const { step } of list) kept.set(step, [...(kept.get(step) ?? []), reason]);
  return kept;
}

/** What may be kept, in bytes. */
export interface Budget {
  readonly bytes: number;
  /** Bytes that these need. */
  readonly weigh: (kept: ReadonlyMap<number, unknown>) => number;
}

/**
 * The same within a budget: while what stays is more, what is spaced is thinned to half its density, and at last as few of
 * the latest are kept as must be. What always stays, stays, even where that alone is more.
 */
export function keepersWithin(
  rules: readonly KeepRule[],
  candidates: readonly Candidate[],
  now: number,
  budget: Budget | null,
): ReadonlyMap<number, readonly KeepReason[]> {
  let tried = rules;
  for (;;) {
    const kept = keepers(tried, candidates, now);
    if (budget === null || budget.weigh(kept) <= budget.bytes) return kept;
    const thinner = thinned(tried);
    if (thinner === null) return kept;
    tried = thinner;
  }
}

function claimed(rule: KeepRule, whole: readonly Candidate[], now: number): readonly Candidate[] {
  switch (rule.kind) {
    case "latest":
      return rule.count > 0 ? whole.slice(-rule.count) : [];
    case "best":
      return best(rule, whole);
    case "every":
      return whole.filter(({ step }) => step % rule.steps === 0);
    case "spaced":
      return spaced(rule.density, whole);
    case "young":
      return whole.filter(({ time }) => now - time <= rule.seconds * 1000);
    case "used":
      return whole.filter(({ used }) => used !== null && now - used <= rule.seconds * 1000);
    default:
      return rule satisfies never;
  }
}

/** Of equally good ones the earlier. */
function best(
  { metric, mode, count }: Extract<KeepRule, { readonly kind: "best" }>,
  whole: readonly Candidate[],
): readonly Candidate[] {
  const sign = mode === "min" ? 1 : -1;
  return whole
    .flatMap((candidate) => {
      const value = candidate.metrics[metric];
      return value === undefined ? [] : [{ candidate, value: sign * value }];
    })
    .toSorted((a, b) => a.value - b.value || a.candidate.step - b.candidate.step)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/**
 * At a distance of d steps from the newest, one to every d / density steps, rounded down to a power of two: dense
 * where it is recent, sparse where it is old. The first of each stretch stays; stretches are counted from step 0 and only
 * ever join in pairs, so thinning again and again leaves no hole that is wider than two of them.
 */
function spaced(density: number, whole: readonly Candidate[]): readonly Candidate[] {
  const newest = whole.at(-1)?.step ?? 0;
  const taken = new Set<string>();
  return whole.filter(({ step }) => {
    const gap = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, newest - step) / density)));
    const stretch = `${gap} ${Math.floor(step / gap)}`;
    if (taken.has(stretch)) return false;
    taken.add(stretch);
    return true;
  });
}

/** Null where there is nothing left to thin. */
function thinned(rules: readonly KeepRule[]): readonly KeepRule[] | null {
  const isSpaced = (rule: KeepRule): boolean => rule.kind === "spaced" && rule.density >= 2;
  if (rules.some(isSpaced)) {
    return rules.map((rule) =>
      rule.kind === "spaced" && isSpaced(rule) ? { ...rule, density: rule.density / 2 } : rule,
    );
  }
  const fewer = rules.filter(
    ({ kind }) => kind !== "spaced" && kind !== "every" && kind !== "young" && kind !== "used",
  );
  if (fewer.length < rules.length) return fewer;
  const isMany = (rule: KeepRule): boolean => rule.kind === "latest" && rule.count > 1;
  if (!rules.some(isMany)) return null;
  return rules.map((rule) => (rule.kind === "latest" ? { ...rule, count: 1 } : rule));
}

/** What is wrong with rules and a budget, one sentence each. */
export function keepProblems(rules: readonly KeepRule[], budget: number | undefined): readonly string[] {
  const amounts = rules.flatMap((rule): (readonly [string, number])[] => {
    switch (rule.kind) {
      case "latest":
      case "best":
        return [[`The count of the rule "${rule.kind}"`, rule.count]];
      case "every":
        return [['The steps of the rule "every"', rule.steps]];
      case "spaced":
        return [['The density of the rule "spaced"', rule.density]];
      case "young":
      case "used":
        return [[`The seconds of the rule "${rule.kind}"`, rule.seconds]];
      default:
        return rule satisfies never;
    }
  });
  return [...amounts, ...(budget === undefined ? [] : [["The budget", budget] as const])]
    .filter(([, value]) => !(value > 0 && value <= MOST))
    .map(([what, value]) => `${what} is ${value}; it must be above 0 and at most 2^53.`);
}

const MOST = 2 ** 53;

/**
 * A reason in words, as in "one of the latest 3".
 *
 * @example
 * describeReason({ kind: "every", steps: 1000 }); // "one to every 1,000 steps"
 */
export function describeReason(reason: KeepReason): string {
  switch (reason.kind) {
    case "latest":
      return reason.count === 1 ? "the latest" : `one of the latest ${reason.count}`;
    case "best": {
      const what = `by ${reason.metric} (${reason.mode})`;
      return reason.count === 1 ? `the best ${what}` : `one of the best ${reason.count} ${what}`;
    }
    case "every":
      return `one to every ${reason.steps.toLocaleString("en")} steps`;
    case "spaced":
      return "spaced: dense where recent, sparse where old";
    case "young":
      return `not older than ${duration(reason.seconds)}`;
    case "used":
      return `used in the last ${duration(reason.seconds)}`;
    case "first":
      return "the first state";
    case "newest":
      return "the newest whole one";
    case "forked":
      return "a fork began here";
    case "pinned":
      return "pinned";
    case "tagged":
      return "tagged";
    case "damaged":
      return "damaged: kept to be named";
    default:
      return reason satisfies never;
  }
}

function duration(seconds: number): string {
  const units = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ] as const;
  const [size, unit] = units.find(([length]) => seconds >= length) ?? ([1, "second"] as const);
  const count = Number((seconds / size).toPrecision(2));
  return count === 1 ? unit : `${count} ${unit}s`;
}
