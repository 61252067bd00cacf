/** Runs of the real app in Python, and back. Each comparison is a line with its largest difference. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
const RUNS: readonly Wanted[] = [
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

const COMMON = {
  preset: "tiny",
  // Beyond 32 bits, so that both words of the key count.
  seed: 2 ** 40 + 7,
  policy: {
    save: { kind: "steps", every: SAVE_EVERY },
    draw: false,
    keep: [{ kind: "every", steps: SAVE_EVERY }],
  },
} as const satisfies Partial<StartOptions>;
const OPTIMIZER = { weightDecay: 0.01, clipNorm: 0.5 };

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
  const runs = await leave(page);
  take(python.compare("forward.py"));
  python.run("train.py");
  take(await comeBack(page, runs));
  take(python.compare("back.py"));
  return { done: compared.filter(holds).length, asked: compared.length };
}

/** Trains the runs, and puts what they leave behind into the folder. */
async function leave(page: Page): Promise<readonly string[]> {
  const runs: string[] = [];
  for (const wanted of RUNS) {
    const run = await start(page, {
      ...wanted,
      ...COMMON,
      steps: STEPS,
      optimizer: { ...OPTIMIZER, schedule: { warmup: 4 } },
    });
    await change(page, run, { learningRate: 0.004, from: 2.5 * SAVE_EVERY });
    await waitFor(page, run, { status: "finished" });
    write(`${run}.safetensors`, await exported(page, "checkpoint", [run]));
    runs.push(run);
  }
  write("runs.holdfast", await exported(page, "bundle", runs));
  return runs;
}

/** Begins runs with what Python wrote, and puts what they became into the folder. */
async function comeBack(page: Page, runs: readonly string[]): Promise<readonly Compared[]> {
  const [first = ""] = runs;
  copyFileSync(join(FOLDER, `${first}.safetensors`), join(FOLDER, "own.safetensors"));
  const { accepted, refused } = foreignFiles();
  const begun: string[] = [];
  for (const [place, wanted] of RUNS.entries())
    begun.push(await trainFrom(page, { ...wanted, steps: STEPS / 2 }, `trained${place}`));
  const [spirals = { task: "spirals" }] = RUNS;
  for (const file of [...accepted, "own"]) begun.push(await trainFrom(page, { ...spirals, steps: 1 }, file));
  write("back.holdfast", await exported(page, "bundle", begun));

  const compared: Compared[] = [];
  for (const { file, what, code, word } of refused) {
    const { run, said } = await begin(page, { ...spirals, steps: 1 }, file);
    const isRefused = said.startsWith(`${code}:`) && said.includes(word);
    const how = isRefused ? `${code}, naming ${word}` : said || `run ${run} started`;
    compared.push({
      what: `refused: ${what} (${how})`,
      difference: isRefused ? 0 : 1,
      limit: 0,
      control: false,
    });
  }
  return compared;
}

type Wanted = Pick<StartOptions, "task" | "name" | "config" | "steps">;

interface ForeignFiles {
  readonly accepted: readonly string[];
  readonly refused: readonly {
    readonly file: string;
    readonly what: string;
    readonly code: string;
    /** What the message has to name. */
    readonly word: string;
  }[];
}

function foreignFiles(): ForeignFiles {
  const files: ForeignFiles = { accepted: [], refused: [], ...readJson("foreign.json") };
  return files;
}

function readJson(name: string): object {
  const value: unknown = JSON.parse(readFileSync(join(FOLDER, name), "utf8"));
  if (typeof value === "object" && value !== null) return value;
  throw new Error(`${name} is no object.`);
}

/** Begins a run with a file, as a person's own page would. `said`: why it was refused, its code in front. */
async function begin(
  page: Page,
  wanted: Wanted,
  name: string,
): Promise<{ readonly run: string; readonly said: string }> {
  const options = {
    ...wanted,
    ...COMMON,
    optimizer: { ...OPTIMIZER, learningRate: 0.003, schedule: { kind: "constant" } as const },
  };
  const base64 = readFileSync(join(FOLDER, `${name}.safetensors`)).toString("base64");
  return page.evaluate(
    async ([given, content, called]) => {
      const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
      try {
        return { run: await holdfast.start({ ...given, from: new File([bytes], called) }), said: "" };
      } catch (error) {
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        return { run: "", said: `${code}: ${String(error)}` };
      }
    },
    [options, base64, `${name}.safetensors`] as const,
  );
}

/** The same, to its end. */
async function trainFrom(page: Page, wanted: Wanted, name: string): Promise<string> {
  const { run, said } = await begin(page, wanted, name);
  if (run === "") throw new Error(`${name}.safetensors: ${said}`);
  await waitFor(page, run, { status: "finished" });
  return run;
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
