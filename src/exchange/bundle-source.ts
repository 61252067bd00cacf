/** A bundle as it is read: its index first, then file after file, each checked against what the index says of it. */
import { hasCode, HoldfastError, messageOf } from "../errors";
import {
  MAX_WHOLE_BYTES,
  bundleParts,
  metricsCsv,
  checkpointName,
  type BundleCheckpoint,
  type BundleFile,
  type BundleForm,
  type BundleIndex,
  type BundlePart,
  type BundleRun,
} from "../format/bundle";
import { concat, equalBytes, sha256, type Bytes } from "../format/bytes";
import { parseCheckpointHead, type CheckpointFacts, type CheckpointHead } from "../format/checkpoint-file";
import {
  largestOf,
  planChunks,
  sameShapes,
  scatter,
  type PlannedChunk,
  type TensorShape,
} from "../format/chunks";
import { baseIndex } from "../format/compact";
import { digestFromChunks } from "../format/digest";
import { JournalTable } from "../format/journal-csv";
import { encodeJson } from "../format/json";
import { lastStep } from "../format/rows";
import type { JournalRows, RunRecord } from "../format/run";
import { RunningHash } from "../format/running-hash";
import { SAFETENSORS_LENGTH_BYTES, safetensorsHeaderBytes } from "../format/safetensors-head";
import { byteLength, tensorsIn } from "../format/tensor-bytes";
import type { State } from "../format/tensors";
import { zipFiles, type BundleFiles } from "./bundle-files";
import { CompactFile } from "./compact-file";
import type { Work } from "./work";
import type { StateSource } from "../checkpoint/write-state";

/** Bytes of a journal that are taken at once. */
const JOURNAL_PIECE = 1024 * 1024;

/** A checkpoint whose head was read; its chunks follow, once, in their order. */
export interface OpenedCheckpoint extends CheckpointHead {
  readonly source: StateSource;
  /** To the end of the file: `corrupt` unless every byte was what the index says. After the last chunk. */
  readonly end: () => Promise<void>;
  /** Lets go of the file, however far it was read. Whoever opened it calls this in the end. */
  readonly close: () => Promise<void>;
}

export class BundleSource {
  readonly #content: BundleFiles;
  readonly #index: BundleIndex;
  readonly #files: ReadonlyMap<string, BundleFile>;
  #base: { readonly name: string; readonly file: CompactFile } | null = null;

  /** `index`: as `parseBundleIndex` checked it, of these files. */
  constructor(content: BundleFiles, index: BundleIndex) {
    this.#content = content;
    this.#index = index;
    this.#files = new Map(index.files.map((file) => [file.name, file]));
  }

  /** `corrupt` for what is no bundle, `unsupported` for one of a newer version. Reads the index. */
  static async open(blob: Blob): Promise<BundleSource> {
    const { index, files } = await zipFiles(blob);
    return new BundleSource(files, index);
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
    for (const [name, part] of bundleParts(this.runs, this.form)) await this.#check(name, part, work);
  }

  /**
   * Reads what a run needs, every byte of it: which of its checkpoints are whole, and what is not, in words. None is where
   * the run cannot go on without what is damaged.
   */
  async rescue(
    run: BundleRun,
    work: Work,
  ): Promise<{ readonly whole: readonly BundleCheckpoint[]; readonly damage: readonly string[] }> {
    const damage: string[] = [];
    const checkpoints: BundleCheckpoint[] = [];
    let isWhole = true;
    for (const [name, part] of bundleParts([run], this.form)) {
      try {
        if (part.kind !== "readme" && part.kind !== "metrics") await this.#check(name, part, work);
        if (part.kind === "checkpoint") checkpoints.push(part.checkpoint);
      } catch (error) {
        if (!isDamage(error)) throw error;
        damage.push(messageOf(error));
        isWhole &&= part.kind === "checkpoint";
      }
    }
    return { whole: isWhole ? checkpoints : [], damage };
  }

  async #check(name: string, part: BundlePart, work: Work): Promise<void> {
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
      case "checkpoint":
        await readState(name, await this.checkpoint(part.run, part.checkpoint, work), () => undefined);
        break;
      default:
        part satisfies never;
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
    const bytes = new HashedBytes(this.#content.pieces(file), name);
    try {
      for (let left = file.bytes; left > 0; left -= Math.min(left, JOURNAL_PIECE))
        table.add(await bytes.take(Math.min(left, JOURNAL_PIECE)));
      await bytes.end(file.sha256);
    } finally {
      await bytes.close();
    }
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
    const bytes = new HashedBytes(this.#content.pieces(file), name, work);
    try {
      return await this.#opened(run, one, bytes);
    } catch (error) {
      await bytes.close();
      throw error;
    }
  }

  async #opened(run: BundleRun, one: BundleCheckpoint, bytes: HashedBytes): Promise<OpenedCheckpoint> {
    const name = this.#nameOf(run, one);
    const file = this.#file(name);
    const opened = this.form.isCompact
      ? await this.#compact(run, one, bytes)
      : await wholeTensors(name, file.bytes, bytes);
    const { facts, tensors } = opened.head;
    checkFacts(facts, run, one, name);
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
    return { ...opened.head, source, end, close: () => bytes.close() };
  }

  /** What the head of a file with whole tensors says; the rest of it is not read. */
  async facts(run: BundleRun, one: BundleCheckpoint): Promise<CheckpointFacts> {
    const name = this.#nameOf(run, one);
    const file = this.#file(name);
    const start = await this.#content.part(file, 0, SAFETENSORS_LENGTH_BYTES);
    const header = await this.#content.part(file, start.length, safetensorsHeaderBytes(start));
    const { facts } = parseCheckpointHead(concat([start, header]), name);
    checkFacts(facts, run, one, name);
    return facts;
  }

  /** A checkpoint as a whole, in memory. */
  async state(
    run: BundleRun,
    one: BundleCheckpoint,
    work: Work,
  ): Promise<{ readonly facts: CheckpointFacts; readonly state: State }> {
    const opened = await this.checkpoint(run, one, work);
    const { tensors, facts, source } = opened;
    const bytes = tensors.map(({ dtype, shape }) => new Uint8Array(byteLength(dtype, shape) ?? 0));
    await readState(this.#nameOf(run, one), opened, (planned, chunk) => {
      scatter(planned, chunk, bytes);
    });
    return { facts, state: { tensors: tensorsIn(tensors, bytes), scalars: source.scalars } };
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
      { bytes: file.bytes, part: (at, length) => this.#content.part(file, at, length) },
      name,
    );
  }

  #nameOf({ record }: BundleRun, { step }: BundleCheckpoint): string {
    return checkpointName(record.id, step, this.form);
  }

  async #whole(name: string): Promise<Bytes> {
    const file = this.#file(name);
    if (file.bytes > MAX_WHOLE_BYTES) throw tooLong(name);
    const bytes = new HashedBytes(this.#content.pieces(file), name);
    try {
      const all = await bytes.take(file.bytes);
      await bytes.end(file.sha256);
      return all;
    } finally {
      await bytes.close();
    }
  }

  #file(name: string): BundleFile {
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

function checkFacts(facts: CheckpointFacts, run: BundleRun, one: BundleCheckpoint, name: string): void {
  if (
    !equalBytes(lasting(facts.record), lasting(run.record)) ||
    facts.step !== one.step ||
    facts.digest !== one.digest
  )
    throw corrupt(`"${name}" is of another run or step`);
}

/** What never changes of a record: all but what a person may edit. */
export function lasting({ name: _name, policy: _policy, ...rest }: RunRecord): Bytes {
  return encodeJson(rest);
}

/** Reads it to its end, chunk by chunk, and lets go of it. `corrupt` unless its state has the digest that its head says. */
async function readState(
  name: string,
  { source, tensors, facts, end, close }: OpenedCheckpoint,
  take: (planned: PlannedChunk, chunk: Bytes) => void,
): Promise<void> {
  const hashes: Bytes[] = [];
  try {
    for (const [index, planned] of planChunks(tensors).entries()) {
      const chunk = await source.chunk(index, planned);
      take(planned, chunk);
      hashes.push(await sha256(chunk));
    }
    await end();
  } finally {
    await close();
  }
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

  /** Pieces that nobody takes any more would hold the file's reader, and its buffer. */
  async close(): Promise<void> {
    await this.#pieces.return(undefined);
  }
}

/** Says it something about these bytes, and nothing about the disk that they are on? */
function isDamage(error: unknown): boolean {
  return hasCode(error, "corrupt") || hasCode(error, "unsupported");
}

function tooLong(name: string): HoldfastError {
  return corrupt(`"${name}" is longer than it may be`);
}

function corrupt(what: string): HoldfastError {
  return new HoldfastError("corrupt", `The bundle is damaged: ${what}. Export it again.`);
}
