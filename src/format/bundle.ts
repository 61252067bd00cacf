/**
 * A bundle: runs in one ZIP archive that anybody can open, and that goes on exactly wherever it is opened.
 *
 *   README.txt                               what this is, for whoever finds it
 *   data/<sha256>.bin                        what the runs train on
 *   runs/<id>/journal.csv                    step, loss, rate, milliseconds
 *   runs/<id>/metrics.csv                    evaluations: step, metric, value
 *   runs/<id>/checkpoints/<step>.safetensors
 *   bundle.json                              the rest, and the SHA-256 of every file before it
 *
 * In the compact form a checkpoint is <step>.chunks instead (see compact.ts), which is smaller and nobody else reads.
 *
 * The list of files follows from the runs, name by name and in order, so a reader knows each before it is read.
 */
import { HoldfastError } from "../errors";
import type { Bytes } from "./bytes";
import { encodeJson, parseJson } from "./json";
import { fitsLog } from "./log";
import { fail, integer, list, object, oneOf, pattern, text, type Parse } from "./parse";
import type { About, RunEvent, RunRecord } from "./run";
import { about, hashText, parseRunEvents, runRecord } from "./run-parse";

export const BUNDLE_EXTENSION = "holdfast";
export const BUNDLE_INDEX = "bundle.json";
export const BUNDLE_README = "README.txt";

/** Of a file that is in memory as a whole when it is read: the index, metrics, data. */
export const MAX_WHOLE_BYTES = 512 * 1024 * 1024;

const FORMAT = "holdfast-bundle";
const VERSION = 1;
export const MAX_INDEX_BYTES = 64 * 1024 * 1024;
const MAX_RUNS = 1000;
const MAX_CHECKPOINTS = 100_000;
const MAX_FILES = 100_000;
const MAX_FEATURES = 100;
/** What a reader must know, where a bundle makes use of it. */
const COMPACT = "compact";
const WITHOUT_DATA = "without-data";
/** Records that say which file their run began with; readers from before that would call them damaged. */
const STARTED_FROM_FILE = "started-from-file";
const KNOWN_FEATURES: ReadonlySet<string> = new Set([COMPACT, STARTED_FROM_FILE, WITHOUT_DATA]);
/** A run goes on: the numbers behind its last event have to be numbers too. */
const MAX_EVENT = 2 ** 48;

/** A checkpoint in a bundle. */
export interface BundleCheckpoint {
  readonly step: number;
  /** Of the state, hex. */
  readonly digest: string;
}

/** A run as the index has it: all but journal, states and data. */
export interface BundleRun {
  readonly record: RunRecord;
  readonly events: readonly RunEvent[];
  readonly about: About;
  /** Ascending by step, at least one. */
  readonly checkpoints: readonly BundleCheckpoint[];
}

export interface BundleFile {
  readonly name: string;
  readonly bytes: number;
  /** Of its content, hex. */
  readonly sha256: string;
}

/** What a bundle is made of. */
export interface BundleForm {
  /** Checkpoints as chunks with differences, not as whole tensors. */
  readonly isCompact: boolean;
  /** Does what the runs train on come along? */
  readonly hasData: boolean;
}

export interface BundleIndex {
  readonly form: BundleForm;
  readonly runs: readonly BundleRun[];
  /** All files but the index, in order. */
  readonly files: readonly BundleFile[];
}

/** What a file of a bundle is. */
export type BundlePart =
  | { readonly kind: "readme" }
  | { readonly kind: "data"; readonly hash: string; readonly bytes: number }
  | { readonly kind: "journal" | "metrics"; readonly run: BundleRun }
  | { readonly kind: "checkpoint"; readonly run: BundleRun; readonly checkpoint: BundleCheckpoint };

/** The files of these runs, in order; each data set once. */
export function bundleParts(
  runs: readonly BundleRun[],
  { isCompact, hasData }: BundleForm,
): ReadonlyMap<string, BundlePart> {
  const parts = new Map<string, BundlePart>([[BUNDLE_README, { kind: "readme" }]]);
  for (const { record } of hasData ? runs : []) {
    const { hash, bytes } = record.data;
    parts.set(`data/${hash}.bin`, { kind: "data", hash, bytes });
  }
  for (const run of runs) {
    const folder = `runs/${run.record.id}`;
    parts.set(`${folder}/journal.csv`, { kind: "journal", run });
    parts.set(`${folder}/metrics.csv`, { kind: "metrics", run });
    for (const checkpoint of run.checkpoints)
      parts.set(checkpointName(run.record.id, checkpoint.step, { isCompact }), {
        kind: "checkpoint",
        run,
        checkpoint,
      });
  }
  return parts;
}

export function checkpointName(
  run: string,
  step: number,
  { isCompact }: Pick<BundleForm, "isCompact">,
): string {
  return `runs/${run}/checkpoints/${step}.${isCompact ? "chunks" : "safetensors"}`;
}

const run: Parse<BundleRun> = (value, path) => {
  const found = object<BundleRun>({
    record: runRecord,
    events: parseRunEvents,
    about,
    checkpoints: list(object<BundleCheckpoint>({ step: integer(), digest: hashText }), MAX_CHECKPOINTS),
  })(value, path);
  const {
    record,
    events,
    checkpoints,
    about: { marks },
  } = found;
  if ((events.at(-1)?.seq ?? 0) > MAX_EVENT) return fail(`${path}.events`, "have used up all numbers");
  if (!fitsLog(record)) return fail(`${path}.record`, "is longer than a log takes");
  for (const [at, event] of events.entries())
    if (!fitsLog({ event, status: null })) return fail(`${path}.events[${at}]`, "is longer than a log takes");
  if (record.firstStep !== (record.parent?.step ?? 0))
    return fail(`${path}.record.firstStep`, "is not the step that it was forked at");
  if (marks.some(({ step }, at) => step <= (marks[at - 1]?.step ?? -1)))
    return fail(`${path}.about.marks`, "are not in order");
  // The log takes one for a mark that was taken off.
  if (marks.some(({ pinned, tags, note }) => !pinned && tags.length === 0 && note === ""))
    return fail(`${path}.about.marks`, "have one with nothing on it");
  if (checkpoints.length === 0) return fail(`${path}.checkpoints`, "is empty");
  let before = record.firstStep - 1;
  for (const { step } of checkpoints) {
    if (step <= before) return fail(`${path}.checkpoints`, "is not in order, or begins before the run");
    before = step;
  }
  return found;
};

/** What is written besides: checked, and of no use after that but for what is required. */
interface Heading {
  readonly format: string;
  readonly version: number;
  readonly requires: readonly string[];
}

const index = object<Omit<BundleIndex, "form"> & Heading>({
  format: oneOf(FORMAT),
  version: oneOf(VERSION),
  requires: list(text(MAX_FEATURES), MAX_FEATURES),
  runs: list(run, MAX_RUNS),
  files: list(
    object<BundleFile>({
      name: pattern(/^[\w./-]{1,200}$/, "a file's name"),
      bytes: integer(),
      sha256: hashText,
    }),
    MAX_FILES,
  ),
});

/** Canonical JSON. `invalid` for numbers that are not finite, and for more than a reader takes. */
export function encodeBundleIndex({ form, runs, files }: BundleIndex): Bytes {
  const json = encodeJson({
    format: FORMAT,
    version: VERSION,
    requires: featuresOf(form, runs),
    runs,
    files,
  });
  if (json.length > MAX_INDEX_BYTES) throw tooMuch();
  return json;
}

/** What a reader must know to read these runs, in the order of the alphabet; none for what any reader knows. */
function featuresOf({ isCompact, hasData }: BundleForm, runs: readonly BundleRun[]): readonly string[] {
  const isFromFile = runs.some(({ record }) => record.from !== undefined);
  return [
    ...(isCompact ? [COMPACT] : []),
    ...(isFromFile ? [STARTED_FROM_FILE] : []),
    ...(hasData ? [] : [WITHOUT_DATA]),
  ];
}

/** `invalid` where that is more than a bundle holds: asked before one is written, since a reader would refuse it. */
export function checkBundleSize(runs: number, checkpoints: number): void {
  // A journal and metrics to each run, perhaps data; README and index.
  if (runs > MAX_RUNS || checkpoints + 3 * runs + 2 > MAX_FILES) throw tooMuch();
}

/** `invalid` where what the run trains on is more than a reader takes. */
export function checkDataSize({ name, data: { bytes } }: RunRecord): void {
  if (bytes <= MAX_WHOLE_BYTES) return;
  throw new HoldfastError(
    "invalid",
    `What "${name}" trains on has ${bytes} bytes, and a bundle takes at most ${MAX_WHOLE_BYTES} (512 MiB). Export it without its data, and add the file where it is imported.`,
  );
}

function tooMuch(): HoldfastError {
  return new HoldfastError(
    "invalid",
    `A bundle holds at most ${MAX_RUNS} runs and ${MAX_FILES} files. Export fewer runs or checkpoints at a time.`,
  );
}

/**
 * The index, checked against itself. `corrupt` with the path of the first field that is wrong; `unsupported` for a
 * newer version, and for one that needs what this version does not know.
 */
export function parseBundleIndex(bytes: Bytes): BundleIndex {
  const value = parseJson(bytes, BUNDLE_INDEX, MAX_INDEX_BYTES);
  checkVersion(value);
  const { runs, files, requires } = index(value, "bundle");
  const form = { isCompact: requires.includes(COMPACT), hasData: !requires.includes(WITHOUT_DATA) };
  if (requires.join() !== featuresOf(form, runs).join())
    return fail("bundle.requires", "is not what its runs need");
  if (runs.length === 0) return fail("bundle.runs", "is empty");
  const ids = new Set<string>();
  const lengths = new Map<string, number>();
  for (const { record } of runs) {
    if (ids.has(record.id)) return fail("bundle.runs", `has the run ${record.id} twice`);
    ids.add(record.id);
    const { hash, bytes } = record.data;
    if ((lengths.get(hash) ?? bytes) !== bytes)
      return fail("bundle.runs", "have one data set of two lengths");
    lengths.set(hash, bytes);
  }
  checkLineage(runs);
  const names = [...bundleParts(runs, form).keys()];
  if (names.length !== files.length || names.some((name, at) => name !== files[at]?.name))
    return fail("bundle.files", "are not those of its runs");
  return { form, runs, files };
}

/** `corrupt` where a run is forked from itself, over however many others. */
export function checkLineage(runs: readonly BundleRun[]): void {
  const parents = new Map(runs.map(({ record }) => [record.id, record.parent?.run]));
  for (const id of parents.keys()) {
    const seen = new Set<string>();
    for (let at: string | undefined = id; at !== undefined; at = parents.get(at)) {
      if (seen.has(at)) return fail("bundle.runs", `has the run ${at}, which is forked from itself`);
      seen.add(at);
    }
  }
}

/** Before anything else is read: a newer bundle may have what no field here has a name for. */
function checkVersion(value: unknown): void {
  if (typeof value !== "object" || value === null || !("version" in value) || !("requires" in value)) return;
  const { version, requires } = value;
  const needs = Array.isArray(requires)
    ? requires.filter((name) => typeof name === "string" && !KNOWN_FEATURES.has(name))
    : [];
  if (typeof version !== "number" || (version <= VERSION && needs.length === 0)) return;
  const what = needs.length === 0 ? `format ${version}` : `"${needs.join('", "').slice(0, 200)}"`;
  throw new HoldfastError(
    "unsupported",
    `This bundle needs ${what}, which this version of Holdfast does not know. Open it with a newer one.`,
  );
}

/** Evaluations as a table; it says nothing that the events do not. */
export function metricsCsv(events: readonly RunEvent[]): Bytes {
  const lines = events.flatMap((event) =>
    event.kind === "evaluated"
      ? Object.entries(event.metrics)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, value]) => `${event.step},${quoted(name)},${value}\n`)
      : [],
  );
  return new TextEncoder().encode(`step,metric,value\n${lines.join("")}`);
}

/** A name that a spreadsheet would take for a formula begins with an apostrophe. */
function quoted(name: string): string {
  const safe = /^[=+\-@\t\r]/.test(name) ? `'${name}` : name;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** For whoever finds the file in ten years. */
export const README_TEXT = `Training runs, exported by Holdfast.

This is a ZIP archive; nothing in it is compressed. Open it with Holdfast to go
on with a run exactly where it was, or take out what you need:

  bundle.json   JSON: each run's settings, events, tags and notes, and the
                SHA-256 of every other file here.
  data/         What the runs train on, named by its SHA-256.
  runs/ID/journal.csv
                One line for each step: step, loss, learning rate and
                milliseconds. Numbers are float32, bit for bit.
  runs/ID/metrics.csv
                Metrics on held-out data.
  runs/ID/checkpoints/STEP.safetensors
                The state after STEP updates, in the safetensors format:
                8 bytes with the length of a JSON header (little endian), the
                header, then the tensors. param/NAME is a parameter,
                slot/SLOT/NAME what the optimizer keeps of it. Under
                __metadata__.holdfast stands as JSON what else belongs to it.
  runs/ID/checkpoints/STEP.chunks
                The same in a smaller form, which only Holdfast reads. Import
                the bundle there, and export it with whole tensors.
`;
