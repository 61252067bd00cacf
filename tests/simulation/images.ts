/**
 * What a crash leaves of a log of operations.
 *
 *   - The process dies: all that came before is there; the write under way is cut at any byte.
 *   - The power fails: of each file what was flushed, and any of the sectors that were written since; the newest
 *     files may have no name; of the catalogue everything up to the last strict transaction, and any number of the
 *     relaxed ones behind it.
 */
import { createHash } from "node:crypto";
import { NO_ROWS, textOf, type Snapshot } from "./catalog";
import type { Image, Operation } from "./disk";
import type { Choices } from "./random";

export type Crash = "process death" | "power loss";

export interface CrashImage {
  readonly image: Image;
  /** Were files lost with their names, or bytes changed behind the store's back? Then something may be gone. */
  readonly lossy: boolean;
}

const SECTOR = 512;
/** More than a crash leaves unsynced of a directory. */
const LOST_NAMES = 2;

interface FileState {
  name: string | null;
  /** As the process sees it. */
  now: Uint8Array<ArrayBuffer>;
  /** As of the last flush. */
  flushed: Uint8Array<ArrayBuffer>;
  /** Since then. */
  unflushed: (Operation & { readonly kind: "write" | "truncate" })[];
  created: number;
}

/** The image after `boundary` operations, and whatever the crash leaves of the next. */
export function crashImage(
  base: Image,
  log: readonly Operation[],
  boundary: number,
  crash: Crash,
  choices: Choices,
): CrashImage {
  const files: FileState[] = [...base.files].map(([name, bytes]) => ({
    name,
    now: bytes,
    flushed: bytes,
    unflushed: [],
    created: -1,
  }));
  let rows = base.rows;
  /** Rows that the catalogue may have, the certain ones first. */
  let possible: Snapshot[] = [rows];
  for (let index = 0; index < boundary; index++) {
    const operation = log[index];
    if (operation === undefined) throw new Error("the log ends before its boundary");
    if (operation.kind === "transaction") {
      rows = operation.after;
      possible = operation.durability === "strict" ? [rows] : [...possible, rows];
    } else if (operation.kind === "clear" || operation.kind === "clear packs") {
      for (const file of files) file.name = null;
      if (operation.kind === "clear packs") continue;
      rows = NO_ROWS;
      possible = [rows];
    } else applyTo(files, operation, index);
  }
  const torn = log[boundary];
  if (torn?.kind === "write") {
    const cut = choices.below(torn.bytes.length + 1);
    applyTo(files, { ...torn, bytes: torn.bytes.slice(0, cut) }, boundary);
  }
  if (crash === "process death") return { image: imageOf(files, rows, ({ now }) => now), lossy: false };
  const newest = files
    .filter(({ name, created }) => name !== null && created >= 0)
    .map(({ created }) => created);
  const keep = choices.once(4)
    ? newest.sort((a, b) => a - b).slice(0, -(1 + choices.below(LOST_NAMES)))
    : newest;
  const kept = files.filter(({ created }) => created < 0 || keep.includes(created));
  const mode = choices.below(3);
  const image = imageOf(kept, choices.of(possible), (file) => powerLost(file, mode, choices));
  return { image, lossy: keep.length < newest.length };
}

function applyTo(
  files: FileState[],
  operation: Exclude<Operation, { readonly kind: "transaction" | "clear" | "clear packs" }>,
  index: number,
): void {
  if (operation.kind === "create") {
    const empty = new Uint8Array(0);
    files.push({ name: operation.name, now: empty, flushed: empty, unflushed: [], created: index });
    return;
  }
  const file = files[operation.file];
  if (file === undefined) throw new Error("an operation on a file that was never made");
  switch (operation.kind) {
    case "write":
      file.now = written(file.now, operation.at, operation.bytes);
      file.unflushed.push(operation);
      return;
    case "truncate":
      file.now = file.now.slice(0, operation.size);
      file.unflushed.push(operation);
      return;
    case "flush":
      file.flushed = file.now;
      file.unflushed = [];
  }
}

/** `mode` 0: nothing since the flush. 1: all of it. 2: any of its sectors. */
function powerLost(
  { flushed, now, unflushed }: FileState,
  mode: number,
  choices: Choices,
): Uint8Array<ArrayBuffer> {
  if (mode === 0) return flushed;
  if (mode === 1) return now;
  let bytes = flushed;
  for (const operation of unflushed) {
    if (operation.kind === "truncate") {
      if (choices.once(2)) bytes = bytes.slice(0, operation.size);
      continue;
    }
    let from = operation.at;
    const end = operation.at + operation.bytes.length;
    while (from < end) {
      const to = Math.min(end, (Math.floor(from / SECTOR) + 1) * SECTOR);
      const part = operation.bytes.subarray(from - operation.at, to - operation.at);
      if (choices.once(2)) bytes = written(bytes, from, part);
      from = to;
    }
  }
  return bytes;
}

function written(bytes: Uint8Array<ArrayBuffer>, at: number, part: Uint8Array): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(Math.max(bytes.length, at + part.length));
  grown.set(bytes);
  grown.set(part, at);
  return grown;
}

function imageOf(
  files: readonly FileState[],
  rows: Snapshot,
  contentOf: (file: FileState) => Uint8Array<ArrayBuffer>,
): Image {
  const named = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const file of files) if (file.name !== null) named.set(file.name, contentOf(file));
  return { files: named, rows };
}

const hashes = new WeakMap<Snapshot, string>();

/** Without the audit log, in which each thread of the drill has another name: the same crash must not count twice. */
function hashOfRows(rows: Snapshot): string {
  const unnamed = () => textOf({ ...rows, audit: new Map() });
  const known = hashes.get(rows) ?? createHash("sha256").update(unnamed()).digest("hex");
  hashes.set(rows, known);
  return known;
}

/** Equal images have equal hashes, hex. */
export function hashOfImage({ files, rows }: Image): string {
  const hash = createHash("sha256").update(hashOfRows(rows));
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${name} ${bytes.length} `).update(bytes);
  return hash.digest("hex");
}
