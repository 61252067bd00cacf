/** A bundle as it is read: its index first, then file after file, each checked against what the index says of it. */
import { HoldfastError } from "../errors";
import {
  BUNDLE_INDEX,
  bundleParts,
  metricsCsv,
  checkpointName,
  parseBundleIndex,
  type BundleCheckpoint,
  type BundleFile,
  type BundleForm,
  type BundleIndex,
  type BundleRun,
} from "../format/bundle";
import { concat, equalBytes, sha256, type Bytes } from "../format/bytes";
import { parseCheckpointHead, type CheckpointHead } from "../format/checkpoint-file";
import { largestOf, planChunks, sameShapes, type PlannedChunk, type TensorShape } from "../format/chunks";
import { baseIndex } from "../format/compact";
import { digestFromChunks } from "../format/digest";
import { JournalTable } from "../format/journal-csv";
import { encodeJson } from "../format/json";
import { lastStep } from "../format/rows";
import type { JournalRows, RunRecord } from "../format/run";
import { RunningHash } from "../format/running-hash";
import { SAFETENSORS_LENGTH_BYTES, safetensorsHeaderBytes } from "../format/safetensors-head";
import { ZipReader, type PlacedEntry } from "../format/zip";
import { blobSource } from "./blob-source";
import { CompactFile } from "./compact-file";
import type { Work } from "./work";
import type { StateSource } from "./write-state";

/** Bytes of a journal that are taken at once. */
const JOURNAL_PIECE = 1024 * 1024;
/** What is in memory as a whole: the index, a journal, data. */
const MAX_WHOLE_BYTES = 512 * 1024 * 1024;

/** A checkpoint whose head was read; its chunks follow, once, in their order. */
export interface OpenedCheckpoint extends CheckpointHead {
  readonly source: StateSource;
  /** To the end of the file: `corrupt` unless every byte was what the index says. After the last chunk. */
  readonly end: () => Promise<void>;
}

export class BundleSource {
  readonly #zip: ZipReader;
  readonly #index: BundleIndex;
  readonly #files: ReadonlyMap<string, BundleFile & PlacedEntry>;
  #base: { readonly name: string; readonly file: CompactFile } | null = null;

  private constructor(zip: ZipReader, index: BundleIndex) {
    this.#zip = zip;
    this.#index = index;
    const entries = zip.entries.slice(0, -1);
    this.#files = new Map(
      index.files.map((file, at) => {
        const entry = entries[at];
        if (entry?.name !== file.name || entry.bytes !== file.bytes)
          throw corrupt(`"${file.name}" is not in it as its index says`);
        return [file.name, { ...entry, ...file }];
      }),
    );
    if (entries.length !== index.files.length) throw corrupt("it has files that its index does not name");
  }

  /** `corrupt` for what is no bundle, `unsupported` for one of a newer version. Reads the index. */
  static async open(blob: Blob): Promise<BundleSource> {
    const zip = await ZipReader.open(blobSource(blob));
    const last = zip.entries.at(-1);
    if (last?.name !== BUNDLE_INDEX) throw corrupt(`it does not end in ${BUNDLE_INDEX}`);
    return new BundleSource(zip, parseBundleIndex(await wholeOf(zip, last)));
  }

  get runs(): readonly BundleRun[] {
    return this.#index.runs;
  }

  get form(): BundleForm {
    return this.#index.form;
  }

  /** Bytes of its checkpoints, as long as they are in the file. */
  get checkpointBytes(): number {
    let bytes = 0;
    for (const [name, { kind }] of bundleParts(this.runs, this.form))
      if (kind === "checkpoint") bytes += this.#file(name).bytes;
    return bytes;
  }

  /** Reads every byte of it. Nothing is kept; throws where anything is not as it should be. */
  async check(work: Work): Promise<void> {
    for (const [name, part] of bundleParts(this.runs, this.form)) {
      switch (part.kind) {
        case "readme":
          await this.#whole(name);
          break;
        case "data":
          if ((await this.data(part.hash)).length !== part.bytes)
            throw corrupt(`"${name}" is not as long as its run says`);
          break;
        case "journal":
          await this.journal(part.run);
          break;
        case "metrics":
          if (!equalBytes(await this.#whole(name), metricsCsv(part.run.events)))
            throw corrupt(`"${name}" is not what its run's events say`);
          break;
        case "checkpoint": {
          await checkState(name, await this.checkpoint(part.run, part.checkpoint, work));
          break;
        }
        default:
          part satisfies never;
      }
    }
  }

  /** What a run trains on. `corrupt` unless it has that hash. */
  async data(hash: string): Promise<Bytes> {
    const name = `data/${hash}.bin`;
    if (this.#file(name).sha256 !== hash) throw corrupt(`"${name}" has another hash than its name`);
    return this.#whole(name);
  }

  /** Null before the first step. `corrupt` where it ends before the newest checkpoint. */
  async journal({ record, checkpoints }: BundleRun): Promise<JournalRows | null> {
    const name = `runs/${record.id}/journal.csv`;
    const file = this.#file(name);
    const table = new JournalTable(name);
    const bytes = new HashedBytes(this.#zip.pieces(file), name);
    for (let left = file.bytes; left > 0; left -= Math.min(left, JOURNAL_PIECE))
      table.add(await bytes.take(Math.min(left, JOURNAL_PIECE)));
    await bytes.end(file.sha256);
    const rows = table.finish();
    if (rows !== null && rows.from !== record.firstStep + 1)
      throw corrupt(`"${name}" does not begin with the first step`);
    const end = rows === null ? record.firstStep : lastStep(rows);
    if (end < (checkpoints.at(-1)?.step ?? 0)) throw corrupt(`"${name}" ends before the newest checkpoint`);
    return rows;
  }

  /** `corrupt` where it is not a checkpoint of that run at that step. `work` hears of every piece that is read. */
  async checkpoint(run: BundleRun, one: BundleCheckpoint, work: Work): Promise<OpenedCheckpoint> {
    const name = this.#nameOf(run, one);
    const file = this.#file(name);
    const bytes = new HashedBytes(this.#zip.pieces(file), name, work);
    const opened = this.form.isCompact
      ? await this.#compact(run, one, bytes)
      : await wholeTensors(name, file.bytes, bytes);
    const { facts, tensors } = opened.head;
    if (
      !equalBytes(lasting(facts.record), lasting(run.record)) ||
      facts.step !== one.step ||
      facts.digest !== one.digest
    )
      throw corrupt(`"${name}" is of another run or step`);
    const source: StateSource = {
      tensors,
      scalars: { step: one.step, samples: facts.samples, counters: facts.counters },
      chunk: async (index, planned) => {
        const chunk = await opened.chunk(index, planned);
        checkTruths(chunk, planned, tensors, name);
        return chunk;
      },
    };
    const end = async () => {
      await opened.rest();
      await bytes.end(file.sha256);
    };
    return { ...opened.head, source, end };
  }

  async #compact(run: BundleRun, one: BundleCheckpoint, bytes: HashedBytes): Promise<OpenedFile> {
    const name = this.#nameOf(run, one);
    const file = await this.#open(name);
    const before = await this.#baseOf(run, one);
    const base = before !== null && sameShapes(before.head.tensors, file.head.tensors) ? before : null;
    await bytes.take(file.headBytes);
    const room = new Uint8Array(file.chunks.reduce((most, { length }) => Math.max(most, length), 0));
    return {
      head: file.head,
      chunk: async (index) => {
        // Much can come of few bytes: whoever waits may end it at each chunk.
        bytes.heard();
        const stored = await bytes.fill(room.subarray(0, file.chunks[index]?.length ?? 0));
        return file.decode(index, stored, base);
      },
      rest: async () => {
        const { table } = file;
        if (!equalBytes(await bytes.take(table.length), table)) throw corrupt(`"${name}" changed meanwhile`);
      },
    };
  }

  /** The one that stands alone, before it; null where it does itself. */
  async #baseOf(run: BundleRun, one: BundleCheckpoint): Promise<CompactFile | null> {
    const index = run.checkpoints.indexOf(one);
    const base = run.checkpoints[baseIndex(index)];
    if (base === undefined || base === one) return null;
    const name = this.#nameOf(run, base);
    // Its head and table are read once for all that lean on it.
    if (this.#base?.name !== name) this.#base = { name, file: await this.#open(name) };
    return this.#base.file;
  }

  #open(name: string): Promise<CompactFile> {
    const file = this.#file(name);
    return CompactFile.open(
      { bytes: file.bytes, part: (at, length) => this.#zip.part(file, at, length) },
      name,
    );
  }

  #nameOf({ record }: BundleRun, { step }: BundleCheckpoint): string {
    return checkpointName(record.id, step, this.form);
  }

  async #whole(name: string): Promise<Bytes> {
    const file = this.#file(name);
    if (file.bytes > MAX_WHOLE_BYTES) throw tooLong(name);
    const bytes = new HashedBytes(this.#zip.pieces(file), name);
    const all = await bytes.take(file.bytes);
    await bytes.end(file.sha256);
    return all;
  }

  #file(name: string): BundleFile & PlacedEntry {
    const file = this.#files.get(name);
    if (file === undefined) throw new HoldfastError("internal", `The bundle was asked for "${name}".`);
    return file;
  }
}

/** A checkpoint's file, with its chunks to be read in order. */
interface OpenedFile {
  readonly head: CheckpointHead;
  readonly chunk: StateSource["chunk"];
  /** Takes what stands behind the chunks. */
  readonly rest: () => Promise<void>;
}

async function wholeTensors(name: string, length: number, bytes: HashedBytes): Promise<OpenedFile> {
  const start = await bytes.take(SAFETENSORS_LENGTH_BYTES);
  const head = parseCheckpointHead(concat([start, await bytes.take(safetensorsHeaderBytes(start))]), name);
  if (bytes.taken + head.bytes !== length) throw corrupt(`"${name}" is not as long as its tensors are`);
  const room = new Uint8Array(largestOf(planChunks(head.tensors)));
  return {
    head,
    chunk: (_index, planned) => bytes.fill(room.subarray(0, planned.bytes)),
    rest: () => Promise.resolve(),
  };
}

function checkTruths(
  chunk: Bytes,
  { pieces }: PlannedChunk,
  tensors: readonly TensorShape[],
  name: string,
): void {
  let at = 0;
  for (const { tensor, bytes } of pieces) {
    const isTruth = tensors[tensor]?.dtype === "bool";
    if (isTruth && chunk.subarray(at, at + bytes).some((value) => value > 1))
      throw corrupt(`"${name}" has a truth value that is neither 0 nor 1`);
    at += bytes;
  }
}

/** What never changes of a record: all but what a person may edit. */
function lasting({ name: _name, policy: _policy, ...rest }: RunRecord): Bytes {
  return encodeJson(rest);
}

/** Reads it to its end. `corrupt` unless its state has the digest that its head says. */
async function checkState(name: string, { source, tensors, facts, end }: OpenedCheckpoint): Promise<void> {
  const hashes: Bytes[] = [];
  for (const [index, planned] of planChunks(tensors).entries())
    hashes.push(await sha256(await source.chunk(index, planned)));
  await end();
  if ((await digestFromChunks(tensors, hashes, source.scalars)) !== facts.digest)
    throw corrupt(`"${name}" does not hold the state of step ${facts.step}`);
}

/** Bytes that come in pieces, taken in lengths of one's own, and hashed on the way. */
class HashedBytes {
  readonly #pieces: AsyncGenerator<Bytes>;
  readonly #name: string;
  readonly #hash = new RunningHash();
  readonly #work: Work | null;
  #piece: Bytes = new Uint8Array(0);
  /** How many were taken so far. */
  taken = 0;

  constructor(pieces: AsyncGenerator<Bytes>, name: string, work: Work | null = null) {
    this.#pieces = pieces;
    this.#name = name;
    this.#work = work;
  }

  /** `cancelled` where nobody wants the rest. */
  heard(): void {
    this.#work?.did(0);
  }

  take(count: number): Promise<Bytes> {
    return this.fill(new Uint8Array(count));
  }

  /** `corrupt` where there are not so many left. */
  async fill(room: Bytes): Promise<Bytes> {
    for (let at = 0; at < room.length;) {
      if (this.#piece.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) throw corrupt(`"${this.#name}" ends too early`);
        this.#hash.add(next.value);
        this.#work?.did(next.value.length);
        this.#piece = next.value;
      }
      const part = this.#piece.subarray(0, room.length - at);
      room.set(part, at);
      at += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
    this.taken += room.length;
    return room;
  }

  /** `corrupt` unless all bytes were taken, and have that hash. */
  async end(expected: string): Promise<void> {
    const next = await this.#pieces.next();
    if (this.#piece.length > 0 || next.done !== true) throw corrupt(`"${this.#name}" goes on after its end`);
    if (this.#hash.hex() !== expected) throw corrupt(`"${this.#name}" fails its hash`);
  }
}

async function wholeOf(zip: ZipReader, entry: PlacedEntry): Promise<Bytes> {
  if (entry.bytes > MAX_WHOLE_BYTES) throw tooLong(entry.name);
  const pieces: Bytes[] = [];
  for await (const piece of zip.pieces(entry)) pieces.push(piece.slice());
  return concat(pieces);
}

function tooLong(name: string): HoldfastError {
  return corrupt(`"${name}" is longer than it may be`);
}

function corrupt(what: string): HoldfastError {
  return new HoldfastError("corrupt", `The bundle is damaged: ${what}. Export it again.`);
}
