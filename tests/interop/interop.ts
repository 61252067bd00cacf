/** Runs of the real app in Python, and back. Each comparison is a line with its largest difference. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { ROOT } from "../../scripts/lib/process.mjs";
import type { StartOptions } from "../../src/worker/api";
import { change, openApp, start, waitFor } from "../support/app-page";
import { Python, type Compared } from "./python";

const FOLDER = join(ROOT, ".cache/interop");
const STEPS = 40;
const SAVE_EVERY = 10;
/** Of which a checkpoint is exported alone. */
const EXPORTED = 20;

/** Small enough for a software GPU; between them every part of both models. */
const RUNS: readonly Pick<StartOptions, "task" | "name" | "config">[] = [
  {
    task: "spirals",
    name: "spirals",
    config: { points: 200, layers: 2, width: 8, dropout: 0.1, batchSize: 24 },
  },
  {
    task: "text",
    name: "text, ReLU, tied",
    config: { characters: 2000, context: 8, dropout: 0 },
  },
  {
    task: "text",
    name: "text, GELU, dropout",
    config: { characters: 2000, context: 8, layers: 2, activation: "gelu", tied: false, dropout: 0.1 },
  },
];

export async function run({ app, browser, log }: RunContext): Promise<DrillResult> {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const python = new Python(FOLDER);
  log(python.version());
  const page = await (await browser()).newPage();
  await openApp(page, await app());
  const compared: Compared[] = [];
  const take = (more: readonly Compared[]): void => {
    for (const one of more) log(lineOf(one));
    compared.push(...more);
  };
  await leave(page);
  take(python.compare("forward.py"));
  return { done: compared.filter(holds).length, asked: compared.length };
}

/** Trains the runs, and puts what they leave behind into the folder. */
async function leave(page: Page): Promise<void> {
  const runs: string[] = [];
  for (const wanted of RUNS) {
    const run = await start(page, {
      ...wanted,
      preset: "tiny",
      seed: 2 ** 40 + 7,
      steps: STEPS,
      optimizer: { weightDecay: 0.01, clipNorm: 0.5, schedule: { warmup: 4 } },
      policy: {
        save: { kind: "steps", every: SAVE_EVERY },
        draw: false,
        keep: [{ kind: "every", steps: SAVE_EVERY }],
      },
    });
    await change(page, run, { learningRate: 0.004, from: 2.5 * SAVE_EVERY });
    await waitFor(page, run, { status: "finished" });
    write(`${run}.safetensors`, await exported(page, "checkpoint", [run]));
    runs.push(run);
  }
  write("runs.holdfast", await exported(page, "bundle", runs));
}

/** A file that the app makes, in base64. */
function exported(page: Page, what: "checkpoint" | "bundle", runs: readonly string[]): Promise<string> {
  return page.evaluate(
    async ({ kind, ids, step }) => {
      const blob = await (kind === "bundle"
        ? holdfast.exportBundle(ids)
        : holdfast.exportCheckpoint(ids[0] ?? "", step));
      let binary = "";
      for (const byte of new Uint8Array(await blob.arrayBuffer())) binary += String.fromCharCode(byte);
      return btoa(binary);
    },
    { kind: what, ids: runs, step: EXPORTED },
  );
}

function write(name: string, base64: string): void {
  writeFileSync(join(FOLDER, name), Buffer.from(base64, "base64"));
}

function holds({ difference, limit, control }: Compared): boolean {
  // A control that gives no number at all has shown nothing.
  return control ? difference > limit && Number.isFinite(difference) : difference <= limit;
}

function lineOf(one: Compared): string {
  const verdict = holds(one) ? (one.control ? "caught" : "holds ") : "FAILED";
  const bound = one.control ? "control, above" : "at most";
  return `${verdict}  ${one.what}: ${one.difference.toPrecision(3)} (${bound} ${one.limit})`;
}
