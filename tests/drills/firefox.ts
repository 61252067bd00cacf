/**
 * Another browser than the one that everything else is tested in: a run of each task in Firefox, which is loaded again in
 * mid-run, killed, and brought back, must end with the losses and the state of one that nothing happened to. A Firefox that
 * has no WebGPU computes on what it has. `FIREFOX_PATH` names it where it is not on the path.
 */
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import type { StartOptions } from "../../src/worker/api";
import { Firefox, findFirefox } from "../support/firefox";
import "../support/app-page";

const SEED = 5;
const STEPS = 400;
/** Between two saves, so that steps have to be computed again. */
const LOADED_AGAIN_AT = 55;
/** After it went on by itself. */
const KILLED_AFTER = 35;
const SAVED_EVERY = 40;
const TASKS = ["spirals", "text", "digits", "table", "modular"];

interface Outcome {
  readonly losses: readonly number[];
  readonly digest: string;
}

export async function run({ app, log }: RunContext): Promise<DrillResult> {
  const path = findFirefox();
  if (path === undefined) {
    log("skipped: there is no Firefox; name one with FIREFOX_PATH");
    return { done: 1, asked: 1 };
  }
  const url = await app();
  const firefox = await Firefox.launch(path);
  let done = 0;
  try {
    await firefox.open(url);
    log(`${await firefox.version()} on ${await firefox.call(async () => (await holdfast.backend()).name)}`);
    for (const task of TASKS) {
      const expected = await outcome(firefox, await started(firefox, task));
      const run = await started(firefox, task);
      const why = await interrupted(firefox, url, run);
      const found = await outcome(firefox, run);
      const isEqual = JSON.stringify(found) === JSON.stringify(expected);
      if (isEqual) done += 1;
      log(`${isEqual ? "equal " : "FAILED"}  ${task}: ${why}; digest ${found.digest.slice(0, 10)}`);
    }
    // The control: what is compared is not always equal.
    const one = await outcome(firefox, await started(firefox, "spirals"));
    const other = await outcome(firefox, await started(firefox, "spirals", SEED + 1));
    const differ = one.digest !== other.digest;
    if (differ) done += 1;
    log(`${differ ? "differ" : "FAILED"}  spirals with another seed`);
  } finally {
    await firefox.close();
  }
  return { done, asked: TASKS.length + 1 };
}

function started(firefox: Firefox, task: string, seed = SEED): Promise<string> {
  const options: StartOptions = {
    task,
    preset: "tiny",
    seed,
    steps: STEPS,
    policy: { save: { kind: "steps", every: SAVED_EVERY }, draw: false },
  };
  return firefox.call((given) => holdfast.start(given), options);
}

/** Loaded again, which it goes on from by itself; then killed, which a person goes on from. What its events say of that. */
async function interrupted(firefox: Firefox, url: string, run: string): Promise<string> {
  await at(firefox, run, LOADED_AGAIN_AT);
  await firefox.reload();
  await at(firefox, run, (await wentOn(firefox, run)) + KILLED_AFTER);
  await firefox.kill();
  await firefox.relaunch();
  await firefox.open(url);
  await firefox.call(async (id) => {
    await holdfast.resume(id);
    await holdfast.waitFor(id, { status: "finished" });
  }, run);
  const replays = await firefox.call(async (id) => {
    const { events } = await holdfast.detail(id);
    return events.flatMap((event) => (event.kind === "resumed" ? [event] : []));
  }, run);
  if (replays.length !== 2) throw new Error(`it was resumed ${replays.length} times, and not twice`);
  return replays.map(({ from, replayed }) => `resumed from ${from}, ${replayed} replayed`).join(", ");
}

/** The step that it went on from, once it does. */
function wentOn(firefox: Firefox, run: string): Promise<number> {
  return firefox.call(async (id) => {
    for (;;) {
      const { events } = await holdfast.detail(id);
      const resumed = events.find(({ kind }) => kind === "resumed");
      if (resumed !== undefined) return resumed.step;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, run);
}

async function at(firefox: Firefox, run: string, step: number): Promise<void> {
  await firefox.call(
    async (id, wanted) => {
      await holdfast.waitFor(id, { step: wanted });
    },
    run,
    step,
  );
}

function outcome(firefox: Firefox, run: string): Promise<Outcome> {
  return firefox.call(async (id) => {
    await holdfast.waitFor(id, { status: "finished" });
    const losses = await holdfast.losses(id);
    const checkpoints = await holdfast.checkpoints(id);
    return {
      losses: [...new Uint32Array(losses.buffer, losses.byteOffset, losses.length)],
      digest: checkpoints.find(({ step }) => step === losses.length)?.digest ?? "none",
    };
  }, run);
}
