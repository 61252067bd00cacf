/** All targets, and which of them an input goes to. */
import type { Choices } from "../simulation/random";
import { SimulatedDisk } from "../support/simulated-disk";
import { bundleTarget, largeTarget } from "./bundle-target";
import { frameTargets } from "./frame-targets";
import { choicesOf } from "./input";
import type { Outcome } from "./outcome";
import { parserTargets } from "./parser-targets";
import { makeSeeds } from "./seeds";
import { storeTarget } from "./store-target";
import type { Target } from "./target";

export async function allTargets(): Promise<readonly Target[]> {
  const seeds = await makeSeeds();
  return [
    ...(await parserTargets(seeds.bundles)),
    ...(await frameTargets(seeds.disk)),
    storeTarget(seeds),
    bundleTarget(seeds, new SimulatedDisk()),
    largeTarget(seeds),
  ];
}

/** Shares are whole numbers of these. */
const SHARES_IN_ONE = 8;

export interface Examined {
  readonly target: string;
  readonly outcome: Outcome;
}

/** The targets, or the one by that name. */
export async function targetsBy(name: string | null): Promise<readonly Target[]> {
  const all = await allTargets();
  const found = all.filter((target) => name === null || target.name === name);
  if (found.length === 0)
    throw new Error(`No target ${name}: there are ${all.map((one) => one.name).join(", ")}.`);
  return found;
}

/** Input `index` of the campaign with this seed. */
export async function examine(targets: readonly Target[], seed: number, index: number): Promise<Examined> {
  const choices = choicesOf(seed, index);
  const target = targetOf(targets, choices);
  return { target: target.name, outcome: await target.examine(choices) };
}

function targetOf(targets: readonly Target[], choices: Choices): Target {
  const total = targets.reduce((sum, { share }) => sum + share, 0);
  let left = choices.below(total * SHARES_IN_ONE) / SHARES_IN_ONE;
  for (const target of targets) {
    if (left < target.share) return target;
    left -= target.share;
  }
  throw new Error("there is no target");
}
