/**
 * A bundle taken apart, so that any part can be changed, and put together again with every outer defence made anew: names,
 * lengths, CRC, SHA-256, lengths of heads, digests. So a change reaches the checks behind those.
 */
import { createHash } from "node:crypto";
import { concat, sha256, type Bytes } from "../../src/format/bytes";
import { largestOf, planChunks, sortedByName } from "../../src/format/chunks";
import { digestFromChunks } from "../../src/format/digest";
import { parseSafetensorsHead } from "../../src/format/safetensors";
import { metricsCsv } from "../../src/format/bundle";
import { parseRunEvents } from "../../src/format/run-parse";
import {
  changed,
  inKeyOrder,
  lookUp,
  lookUpText,
  parseTree,
  set,
  writeTree,
  type JsonTree,
} from "../support/json-tree";
import type { RawEntry } from "../support/raw-zip";

/** A checkpoint's file: header, what stands in it beside the tensors, and their bytes. */
export interface CheckpointModel {
  readonly header: JsonTree;
  readonly facts: JsonTree;
  readonly values: Bytes;
}

interface Owned {
  /** Place of its run in the index. */
  readonly run: number;
}

export type FileModel =
  | { readonly kind: "readme"; readonly name: string; readonly content: Bytes }
  | { readonly kind: "data"; readonly name: string; readonly content: Bytes }
  | (Owned & { readonly kind: "journal"; readonly name: string; readonly content: Bytes })
  | (Owned & { readonly kind: "metrics"; readonly name: string; readonly content: Bytes })
  | (Owned & {
      readonly kind: "checkpoint";
      readonly name: string;
      readonly checkpoint: CheckpointModel;
      /** Place in the run. */
      readonly place: number;
    });

export interface BundleModel {
  readonly index: JsonTree;
  readonly files: readonly FileModel[];
}

export interface Sealing {
  /** Does every file say what the index says? */
  readonly agreeing: boolean;
  /** Are digests those of the states? */
  readonly digests: boolean;
}

const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
const textOf = (bytes: Bytes): string => new TextDecoder().decode(bytes);
const HOLDFAST = ["__metadata__", "holdfast"];
export const INDEX = "bundle.json";

/** Takes the files of a bundle apart. */
export function modelOf(files: ReadonlyMap<string, Bytes>): BundleModel {
  const index = parseTree(textOf(files.get(INDEX)!));
  const runs = lookUp(index, ["runs"]);
  const ids = runs?.kind === "list" ? runs.items.map((run) => lookUpText(run, "record", "id")) : [];
  const places = ids.map(() => 0);
  const models = [...files].flatMap(([name, content]): FileModel[] => {
    if (name === INDEX) return [];
    const [folder, id, file = ""] = name.split("/");
    if (folder !== "runs") return [{ kind: folder === "data" ? "data" : "readme", name, content }];
    const run = ids.indexOf(id);
    if (file !== "checkpoints")
      return [{ kind: file === "journal.csv" ? "journal" : "metrics", name, content, run }];
    const place = places[run]!++;
    return [{ kind: "checkpoint", name, run, place, checkpoint: checkpointOf(content) }];
  });
  return { index, files: models };
}

export function checkpointOf(file: Bytes): CheckpointModel {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = parseTree(textOf(file.subarray(8, 8 + length)).trimEnd());
  const facts = parseTree(lookUpText(header, ...HOLDFAST) ?? "null");
  return { header, facts, values: file.subarray(8 + length) };
}

/** The head of a checkpoint's file, its length in front. */
export function headOf({ header, facts }: CheckpointModel): Bytes {
  const whole =
    lookUp(header, HOLDFAST) === undefined ? header : set(HOLDFAST, writeTree(inKeyOrder(facts)))(header);
  const json = utf8(writeTree(inKeyOrder(whole)));
  const padded = concat([json, utf8(" ".repeat((8 - (json.length % 8)) % 8))]);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  return concat([length, padded]);
}

/** The files of the archive, the index last. */
export async function sealed(
  model: BundleModel,
  { agreeing, digests }: Sealing,
): Promise<readonly RawEntry[]> {
  const agreed = agreeing ? inAgreement(model) : model;
  const { index, files } = digests ? await withDigests(agreed) : agreed;
  const entries = files.flatMap((file): RawEntry[] => {
    const name = agreeing ? nameOf(index, file) : file.name;
    return name === null ? [] : [{ name, content: contentOf(file) }];
  });
  const list = entries.map(({ name, content }) => ({ name, bytes: content.length, sha256: hashOf(content) }));
  const last = lookUp(index, ["files"]) === undefined ? index : set(["files"], list)(index);
  return [...entries, { name: INDEX, content: utf8(writeTree(inKeyOrder(last))) }];
}

export function contentOf(file: FileModel): Bytes {
  return file.kind === "checkpoint"
    ? concat([headOf(file.checkpoint), file.checkpoint.values])
    : file.content;
}

/** What the index makes its name; null where it has no such run or checkpoint. */
function nameOf(index: JsonTree, file: FileModel): string | null {
  if (file.kind === "readme") return file.name;
  if (file.kind === "data") return `data/${hashOf(file.content)}.bin`;
  const id = lookUpText(index, "runs", file.run, "record", "id");
  if (id === undefined) return null;
  if (file.kind !== "checkpoint") return `runs/${id}/${file.kind}.csv`;
  const step = lookUp(index, ["runs", file.run, "checkpoints", file.place, "step"]);
  return step === undefined ? null : `runs/${id}/checkpoints/${writeTree(step)}.${extensionOf(file.name)}`;
}

function extensionOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Heads of checkpoints with what the index says of their run and step, metrics with its events, data with their hash. */
function inAgreement(model: BundleModel): BundleModel {
  let { index } = model;
  const data = new Map(
    model.files.flatMap((file) => (file.kind === "data" ? [[file.name, file.content] as const] : [])),
  );
  const runs = lookUp(index, ["runs"]);
  for (let run = 0; runs?.kind === "list" && run < runs.items.length; run++) {
    const content = data.get(`data/${lookUpText(index, "runs", run, "record", "data", "hash") ?? ""}.bin`);
    if (content === undefined) continue;
    index = set(["runs", run, "record", "data", "hash"], hashOf(content))(index);
    index = set(["runs", run, "record", "data", "bytes"], content.length)(index);
  }
  const files = model.files.map((file): FileModel => {
    if (file.kind === "metrics") return { ...file, content: metricsOf(index, file.run) ?? file.content };
    if (file.kind !== "checkpoint") return file;
    const record = lookUp(index, ["runs", file.run, "record"]);
    const step = lookUp(index, ["runs", file.run, "checkpoints", file.place, "step"]);
    if (record === undefined || step === undefined) return file;
    const own = set(["step"], () => step)(set(["record"], () => record)(file.checkpoint.facts));
    return { ...file, checkpoint: { ...file.checkpoint, facts: own } };
  });
  return { index, files };
}

function metricsOf(index: JsonTree, run: number): Bytes | null {
  try {
    const value: unknown = JSON.parse(writeTree(lookUp(index, ["runs", run, "events"])!));
    return metricsCsv(parseRunEvents(value));
  } catch {
    // Events that are none: what stands there is as good as anything.
    return null;
  }
}

/** With the digest of each state that has one, in its head and in the index. */
async function withDigests(model: BundleModel): Promise<BundleModel> {
  let { index } = model;
  const files: FileModel[] = [];
  for (const file of model.files) {
    // What chunks with differences hold is known when they are decoded, and any other is refused then.
    const isWhole = file.kind === "checkpoint" && extensionOf(file.name) === "safetensors";
    const digest = isWhole ? await digestOfModel(file.checkpoint) : null;
    if (file.kind !== "checkpoint" || digest === null) {
      files.push(file);
      continue;
    }
    const facts = set(["digest"], digest)(file.checkpoint.facts);
    files.push({ ...file, checkpoint: { ...file.checkpoint, facts } });
    const place = ["runs", file.run, "checkpoints", file.place];
    if (lookUp(index, place) !== undefined)
      index = changed(index, [...place, "digest"], (found) => found && lookUp(facts, ["digest"]));
  }
  return { index, files };
}

/** Null where there is none: tensors that overlap, numbers that are none. */
async function digestOfModel(checkpoint: CheckpointModel): Promise<string | null> {
  try {
    const { tensors } = parseSafetensorsHead(headOf(checkpoint).subarray(8));
    const named = sortedByName(tensors.map((tensor) => [tensor.name, tensor])).map(([, tensor]) => tensor);
    const plan = planChunks(named);
    if (largestOf(plan) > checkpoint.values.length) return null;
    const hashes: Bytes[] = [];
    let at = 0;
    for (const { bytes } of plan) {
      hashes.push(await sha256(checkpoint.values.slice(at, at + bytes)));
      at += bytes;
    }
    const number = (key: string) => Number(writeTree(lookUp(checkpoint.facts, [key])!));
    const counters: unknown = JSON.parse(writeTree(lookUp(checkpoint.facts, ["counters"])!));
    const scalars = {
      step: number("step"),
      samples: number("samples"),
      counters: counters as Record<string, number>,
    };
    return await digestFromChunks(named, hashes, scalars);
  } catch {
    return null;
  }
}

export function hashOf(content: Bytes): string {
  return createHash("sha256").update(content).digest("hex");
}
