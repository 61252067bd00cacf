/** A run that much happens to, and visits to steps of it, held against one that nothing happens to. */
import type { Page } from "@playwright/test";
import type { Course, Recorded } from "../../bench/pages/uninterrupted.worker";
import { random } from "../../src/engine/random";
import { change, detail, lossBits, openApp, start, waitFor } from "./app-page";

declare global {
  var train: (course: Course) => Promise<Recorded>;
}

export type Reference = (course: Course) => Promise<Recorded>;

interface Trip {
  readonly steps: number;
  readonly visits: number;
  /** Of the steps that are drawn. */
  readonly seed: number;
  readonly reference: Reference;
  readonly log: (line: string) => void;
}

export interface Visited {
  readonly good: number;
  /** How long each took. */
  readonly ms: readonly number[];
  readonly replayed: number;
}

const RATE = 0.002;

export async function provedVisits(page: Page, url: string, trip: Trip): Promise<Visited> {
  const { steps, log } = trip;
  await openApp(page, url);
  const run = await start(page, { task: "text", preset: "tiny", seed: 11, steps });
  const changeAt = Math.floor(steps * 0.4);
  await change(page, run, { learningRate: RATE, from: changeAt });
  await waitFor(page, run, { step: Math.floor(steps * 0.7) });
  // Beside the training: a step that was not saved, compared with one that was.
  const beside = Math.floor(steps * 0.45);
  await page.evaluate(([id, step]) => holdfast.compare({ run: id, step: 0 }, { run: id, step }), [
    run,
    beside,
  ] as const);
  await waitFor(page, run, { status: "finished" });
  const before = await detail(page, run);
  const wanted = Array.from({ length: trip.visits }, (_, visit) =>
    Math.floor(random(trip.seed, "visits", visit, 0) * (steps + 1)),
  );
  const { digests, losses } = await trip.reference({
    record: before.record,
    change: { step: changeAt, rate: RATE },
    wanted: [...wanted, steps],
  });
  const same = (await lossBits(page, run)).every((bits, index) => bits === losses[index]);
  if (!same) throw new Error("The losses of the run are not those of a run that nothing happened to.");
  let good = 0;
  let replayed = 0;
  const ms: number[] = [];
  for (const step of wanted) {
    const visit = await page.evaluate(([id, at]) => holdfast.goto(id, at), [run, step] as const);
    if (visit.digest === digests[step]) good += 1;
    else log(`FAILED  step ${step}: ${visit.digest} instead of ${digests[step]}`);
    ms.push(visit.ms);
    replayed += visit.replayed;
  }
  const after = await detail(page, run);
  if (JSON.stringify(after) !== JSON.stringify(before)) throw new Error("The visits changed the run.");
  const end = await page.evaluate((id) => holdfast.digest(id), run);
  if (end !== digests[steps]) throw new Error("The run does not end in the state of an undisturbed one.");
  return { good, ms, replayed };
}
