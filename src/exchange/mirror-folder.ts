/**
 * A mirror: runs in a folder of the person's disk, as a bundle that is not packed.
 *
 *   README.txt
 *   data/<sha256>.bin
 *   runs/<id>/bundle.json                                 the index of that run alone
 *   runs/<id>/journal.<hash>.csv, metrics.<hash>.csv
 *   runs/<id>/checkpoints/<step>.<digest>.safetensors
 *
 * What may have another content the next time has a part of its hash in its name. So no file is ever written over one that
 * an index names, and a run's index is replaced as a whole, last: wherever a sync ends, each run is what it was, or what it
 * is now.
 */
import { hasCode, HoldfastError } from "../errors";
import {
  bundleParts,
  BUNDLE_INDEX,
  MAX_INDEX_BYTES,
  parseBundleIndex,
  type BundleCheckpoint,
  type BundleFile,
  type BundleForm,
  type BundleIndex,
  type BundlePart,
} from "../format/bundle";
import type { Bytes } from "../format/bytes";
import { blobSource } from "./blob-source";
import type { BundleFiles } from "./bundle-files";
import type { BundleOutput } from "./bundle-output";

/** A folder, as far as a mirror needs one. Paths have slashes. `refused` where the browser may not use it (any more). */
export interface Folder {
  /** Null where there is no such file. */
  readonly read: (path: string) => Promise<Blob | null>;
  /** What is written is in its place when it is whole. Folders on the way are made. */
  readonly write: (path: string) => Promise<BundleOutput>;
  /** Names of what is in it; none where there is no such folder. */
  readonly list: (path: string) => Promise<readonly string[]>;
  readonly remove: (path: string) => Promise<void>;
}

/** Whole tensors, and all that a run needs. */
export const MIRROR_FORM: BundleForm = { isCompact: false, hasData: true };
export const MIRROR_RUNS = "runs";

/** Of a hash, in a name: 64 bits. */
const NAMED = 16;

export function indexPath(run: string): string {
  return `${MIRROR_RUNS}/${run}/${BUNDLE_INDEX}`;
}

/** Where a file of a bundle lies in a mirror. `hash`: of its content; of a checkpoint's, that of its state counts. */
export function mirrorPath(name: string, part: BundlePart, hash: string): string {
  switch (part.kind) {
    case "readme":
    case "data":
      return name;
    case "journal":
    case "metrics":
      return name.replace(/(?=\.csv$)/, `.${hash.slice(0, NAMED)}`);
    case "checkpoint":
      return name.replace(/(?=\.safetensors$)/, `.${part.checkpoint.digest.slice(0, NAMED)}`);
  }
}

/** Is that the name of a journal or of metrics in a mirror? What else a person keeps there is theirs. */
export function isTableName(name: string): boolean {
  return /^(?:journal|metrics)\.[0-9a-f]{16}\.csv$/.test(name);
}

/** What a checkpoint's name says in a mirror: its step, and how its digest begins. Null for other names. */
export function checkpointNamed(name: string): BundleCheckpoint | null {
  const [, step, digest] = /^(\d{1,15})\.([0-9a-f]{16})\.safetensors$/.exec(name) ?? [];
  return step === undefined || digest === undefined ? null : { step: Number(step), digest };
}

/** What the folder has of a run; null where that is nothing. `corrupt`, or `unsupported` for what is of a newer version. */
export async function readMirrored(folder: Folder, run: string): Promise<BundleIndex | null> {
  const blob = await folder.read(indexPath(run));
  if (blob === null) return null;
  if (blob.size > MAX_INDEX_BYTES) throw damaged(`"${indexPath(run)}" is longer than it may be`);
  const index = parseBundleIndex(await blobSource(blob).read(0, blob.size));
  const [first, ...more] = index.runs;
  if (first?.record.id !== run || more.length > 0 || index.form.isCompact || !index.form.hasData)
    throw damaged(`"${indexPath(run)}" is not of the run in whose folder it lies`);
  return index;
}

/** Ids of the runs that have a folder in it. */
export async function mirroredRuns(folder: Folder): Promise<readonly string[]> {
  const names = await folder.list(MIRROR_RUNS);
  return names.filter((name) => /^[a-z0-9]{1,24}$/.test(name)).sort();
}

/** The files of these runs, where they lie in the folder. */
export function folderFiles(folder: Folder, { runs, form }: Pick<BundleIndex, "runs" | "form">): BundleFiles {
  const parts = bundleParts(runs, form);
  const open = async (file: BundleFile): Promise<Blob> => {
    const part = parts.get(file.name);
    if (part === undefined) throw new HoldfastError("internal", `The mirror was asked for "${file.name}".`);
    const blob = await folder.read(mirrorPath(file.name, part, file.sha256));
    if (blob === null) throw damaged(`"${file.name}" is missing`);
    if (blob.size !== file.bytes) throw damaged(`"${file.name}" is not as long as its index says`);
    return blob;
  };
  // Of one file it says nothing about the others.
  const readable = (error: unknown, { name }: BundleFile): unknown =>
    hasCode(error, "missing") ? damaged(`"${name}" cannot be read`) : error;
  return {
    async *pieces(file): AsyncGenerator<Bytes> {
      try {
        yield* blobSource(await open(file)).pieces(0, file.bytes);
      } catch (error) {
        throw readable(error, file);
      }
    },
    part: async (file, at, length) => {
      if (at < 0 || at + length > file.bytes) throw damaged(`"${file.name}" ends too early`);
      try {
        return await blobSource(await open(file)).read(at, length);
      } catch (error) {
        throw readable(error, file);
      }
    },
  };
}

function damaged(what: string): HoldfastError {
  return new HoldfastError("corrupt", `The mirror is damaged: ${what}.`);
}
