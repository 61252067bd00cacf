/**
 * Every bit of a store of 64 KiB flipped, and every one of its packs cut at every length: each copy is opened with its
 * catalogue and without, and all of its checkpoints are read. `--stride N` takes every N-th byte; `--threads N`; `--only cuts`
 * leaves the bits as they are.
 */
import { availableParallelism } from "node:os";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { ROOT } from "../../scripts/lib/process.mjs";
import type { Damage, DamageData } from "../simulation/damage-part";
import { inThread } from "../simulation/threads";

export async function run({ options, log }: RunContext): Promise<DrillResult> {
  const threads = Number(options.get("threads") ?? availableParallelism());
  const stride = Number(options.get("stride") ?? 1);
  const cutsOnly = options.get("only") === "cuts";
  const start = performance.now();
  const damages: Damage[] = [];
  const part = (number: number) => {
    const data: DamageData = { part: number, parts: threads, stride, cutsOnly };
    return inThread(ROOT, "damage-part.ts", { data }, (found) => {
      damages.push(...(found as readonly Damage[]));
    });
  };
  await Promise.all(Array.from({ length: threads }, (_, number) => part(number)));
  const totals = new Map<string, number>();
  for (const { kind, byteClass, result, count, place } of damages) {
    const key = `${kind.padEnd(6)}${byteClass.padEnd(13)}${result}`;
    totals.set(key, (totals.get(key) ?? 0) + count);
    if (!isRight({ byteClass, result })) log(`FAULT  ${key}: first in ${place.name} at byte ${place.at}`);
  }
  for (const [key, count] of [...totals].sort()) log(`${key.padEnd(32)}${String(count).padStart(8)}`);
  const seconds = (performance.now() - start) / 1000;
  const sum = (list: readonly Damage[]) => list.reduce((total, { count }) => total + count, 0);
  const flips = damages.filter(({ kind }) => kind === "flip");
  const cuts = damages.filter(({ kind }) => kind === "cut");
  log(`${sum(cuts.filter(isRight))}/${sum(cuts)} cuts; ${seconds.toFixed(0)} s`);
  const bad = sum(damages) - sum(damages.filter(isRight));
  const asked = sum(cutsOnly ? cuts : flips);
  return { done: asked - bad, asked };
}

/**
 * Nothing is wrong, and nothing goes unsaid but in bytes that mean nothing, and where catalogue and the end of a pack are
 * lost together without a trace.
 */
function isRight({ byteClass, result }: Pick<Damage, "byteClass" | "result">): boolean {
  return result === "named" || result === "older" || (result === "identical" && byteClass === "padding");
}
