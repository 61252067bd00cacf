/**
 * A run in one file: record, events, journal, data and chosen checkpoints, enough to go on exactly elsewhere.
 *
 * Provisional: a file of sections, each with its length and SHA-256, closed by a seal over all of those hashes.
 * Nothing is returned before everything was checked, down to the digest of each state, so an import may make
 * visible whatever comes out of here.
 */
import { HoldfastError } from "../errors";
import { ByteReader, ByteWriter } from "./byte-cursor";
import { align8, bytesOf, concat, equalBytes, sha256, SHA256_BYTES, toHex, type Bytes } from "./bytes";
import { digestOf } from "./digest";
import { encodeJournal, parseJournal } from "./journal";
import { encodeJson, parseJson } from "./json";
import { encodeManifest, parseManifest, type Manifest } from "./manifest";
import { lastStep } from "./rows";
import type { About, JournalRows, RunEvent, RunRecord } from "./run";
import { about as parseAbout, parseRunEvents, parseRunRecord } from "./run-parse";
import { byteLength, valuesOf } from "./tensor-bytes";
import type { NamedTensor, State } from "./tensors";

export interface RunFileCheckpoint {
  /** Packs, offsets and lengths of its chunks mean nothing outside the store that wrote it. */
  readonly manifest: Manifest;
  readonly state: State;
}

export interface RunFile {
  readonly record: RunRecord;
  readonly events: readonly RunEvent[];
  /** From the run's first step on; null before the first one. */
  readonly journal: JournalRows | null;
  /** Ascending by step, at least one. */
  readonly checkpoints: readonly RunFileCheckpoint[];
  readonly data: Bytes;
  readonly about: About;
}

const NOTHING_ABOUT: About = { marks: [], tags: [], note: "" };

const RUN_FILE_VERSION = 1;
export const RUN_FILE_EXTENSION = ".holdfast-run";

const TITLE = "HOLDFAST RUN FILE ";
const VERSION_DIGITS = 4;
const HEAD_BYTES = 512;
const EXPLANATION = `
One training run: record, events, journal, data and checkpoints.
This format is provisional. A later version of Holdfast replaces it by the
.holdfast bundle, which other tools can open. Keep the app that wrote this file,
or export the run again with a newer one.
`;

const TAG_BYTES = 8;
const SECTION_HEAD_BYTES = TAG_BYTES + 8 + SHA256_BYTES;
const MAX_JSON_BYTES = 256 * 1024 * 1024;

type Tag = "record" | "events" | "journal" | "data" | "about" | "manifest" | "tensor" | "end";

/** The parts of the file, in order; tensors and data are views. `corrupt` for a record that is none. */
export async function writeRunFile(file: RunFile): Promise<Bytes[]> {
  // A file that could not be read again is no rescue: better told now than at the import.
  parseRunRecord(file.record);
  parseRunEvents(file.events);
  const out = new SectionWriter();
  await out.add("record", encodeJson(file.record));
  await out.add("events", encodeJson(file.events));
  await out.add("journal", file.journal === null ? new Uint8Array(0) : encodeJournal(file.journal));
  await out.add("data", file.data);
  await out.add("about", encodeJson(file.about));
  for (const { manifest, state } of file.checkpoints) {
    const byName = new Map(state.tensors.map((tensor) => [tensor.name, tensor]));
    await out.add("manifest", encodeManifest(manifest));
    for (const { name } of manifest.tensors) {
      const tensor = byName.get(name);
      if (tensor === undefined)
        throw new HoldfastError("invalid", `The state lacks the tensor "${name}" of its manifest.`);
      await out.add("tensor", bytesOf(tensor.values));
    }
  }
  return out.seal();
}

/**
 * The run in `bytes`, wholly verified. `corrupt` names the section that is damaged, `unsupported` a file of a
 * newer version.
 */
export async function readRunFile(bytes: Bytes): Promise<RunFile> {
  checkHead(bytes);
  const sections = new SectionReader(bytes);
  const record = await sections.read("record", (raw) =>
    parseRunRecord(parseJson(raw, "The record", MAX_JSON_BYTES)),
  );
  const events = await sections.read("events", (raw) =>
    parseRunEvents(parseJson(raw, "The events", MAX_JSON_BYTES)),
  );
  const journal = await sections.read("journal", (raw) => (raw.length === 0 ? null : parseJournal(raw)));
  const data = await sections.read("data", async (raw) => {
    const hash = toHex(await sha256(raw));
    if (raw.length !== record.data.bytes || hash !== record.data.hash)
      throw corrupt("it is not the data of the record");
    return raw.slice();
  });
  // Files from before there were marks have none.
  const about =
    sections.next() === "about"
      ? await sections.read("about", (raw) =>
          parseAbout(parseJson(raw, "The marks", MAX_JSON_BYTES), "about"),
        )
      : NOTHING_ABOUT;
  const checkpoints: RunFileCheckpoint[] = [];
  while (sections.next() === "manifest") {
    const manifest = await sections.read("manifest", parseManifest);
    checkpoints.push({ manifest, state: await readState(sections, manifest) });
  }
  await sections.end();
  const file = { record, events, journal, checkpoints, data, about };
  checkWhole(file);
  return file;
}

async function readState(sections: SectionReader, manifest: Manifest): Promise<State> {
  const tensors: NamedTensor[] = [];
  for (const { name, dtype, shape } of manifest.tensors) {
    const values = await sections.read("tensor", (raw) => {
      if (raw.length !== byteLength(dtype, shape)) throw corrupt(`it does not have the bytes of "${name}"`);
      return valuesOf(dtype, raw, name);
    });
    tensors.push({ name, dtype, shape, values });
  }
  const state = {
    tensors,
    scalars: { step: manifest.step, samples: manifest.samples, counters: manifest.counters },
  };
  if ((await digestOf(state)) !== manifest.digest) {
    throw corrupt(`the section "tensor" does not have the digest of step ${manifest.step}`);
  }
  return state;
}

/** What one section cannot know: that all are of one run, and in order. */
function checkWhole({ record, journal, checkpoints }: RunFile): void {
  const journalEnd = journal === null ? record.firstStep : lastStep(journal);
  if (journal !== null && journal.from !== record.firstStep + 1) {
    throw corrupt('the section "journal" does not begin with the first step');
  }
  if (checkpoints.length === 0) throw corrupt('it has no section "manifest"');
  let before = record.firstStep - 1;
  for (const { manifest } of checkpoints) {
    const { step } = manifest;
    const { id, task, seed, data } = manifest.record;
    if (id !== record.id || task !== record.task || seed !== record.seed || data.hash !== record.data.hash) {
      throw corrupt(`the section "manifest" of step ${step} is of another run`);
    }
    if (step <= before || step > journalEnd) {
      throw corrupt(`the section "manifest" of step ${step} is out of order, or ahead of its journal`);
    }
    before = step;
  }
}

class SectionWriter {
  readonly #parts: Bytes[] = [encoder.encode(headOf(RUN_FILE_VERSION))];
  readonly #heads: Bytes[] = [];

  async add(tag: Tag, content: Bytes): Promise<void> {
    const head = new ByteWriter(SECTION_HEAD_BYTES)
      .bytes(encoder.encode(tag.padEnd(TAG_BYTES, " ")))
      .u64(content.length)
      .bytes(await sha256(content))
      .finish();
    this.#heads.push(head);
    this.#parts.push(head, content, new Uint8Array(align8(content.length) - content.length));
  }

  async seal(): Promise<Bytes[]> {
    await this.add("end", await sha256(concat(this.#heads)));
    return this.#parts.filter((part) => part.length > 0);
  }
}

/** Reads sections in the one order that they may have; each is checked before it is parsed. */
class SectionReader {
  readonly #bytes: ByteReader;
  readonly #heads: Bytes[] = [];

  constructor(bytes: Bytes) {
    this.#bytes = new ByteReader(bytes, "The run file", HEAD_BYTES);
  }

  /** Tag of the section that comes next; empty where none does. */
  next(): string {
    if (this.#bytes.remaining < TAG_BYTES) return "";
    return String.fromCharCode(...this.#bytes.peek(TAG_BYTES)).trimEnd();
  }

  async read<T>(tag: Tag, parse: (content: Bytes) => T | Promise<T>): Promise<T> {
    if (this.next() !== tag) throw corrupt(`the section "${tag}" is not where it belongs`);
    try {
      return await parse(await this.#content());
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      throw new HoldfastError(
        error.code,
        `The section "${tag}" of the run file cannot be used. ${error.message}`,
        { cause: error },
      );
    }
  }

  /** The seal, and nothing behind it. */
  async end(): Promise<void> {
    const expected = await sha256(concat(this.#heads));
    await this.read("end", (seal) => {
      if (!equalBytes(seal, expected)) throw corrupt("its sections are not those that were sealed");
    });
    if (this.#bytes.remaining !== 0) throw corrupt("bytes follow its end");
  }

  async #content(): Promise<Bytes> {
    const head = this.#bytes.bytes(SECTION_HEAD_BYTES);
    const fields = new ByteReader(head, "A section", TAG_BYTES);
    const content = this.#bytes.bytes(fields.u64());
    const padding = this.#bytes.bytes(align8(content.length) - content.length);
    if (padding.some((byte) => byte !== 0)) throw corrupt("the padding of a section is not empty");
    if (!equalBytes(await sha256(content), fields.bytes(SHA256_BYTES)))
      throw corrupt("a section fails its hash");
    this.#heads.push(head);
    return content;
  }
}

const encoder = new TextEncoder();

/** 512 characters of plain text, so that whoever opens the file in an editor knows what it is. */
function headOf(version: number): string {
  const text = `${TITLE}${String(version).padStart(VERSION_DIGITS, "0")}\n${EXPLANATION}`;
  return `${text.padEnd(HEAD_BYTES - 1, " ")}\n`;
}

function checkHead(bytes: Bytes): void {
  const text = String.fromCharCode(...bytes.subarray(0, HEAD_BYTES));
  if (text === headOf(RUN_FILE_VERSION)) return;
  const version = /^HOLDFAST RUN FILE (\d{4})\n/.exec(text)?.[1];
  if (version !== undefined && Number(version) > RUN_FILE_VERSION) {
    throw new HoldfastError(
      "unsupported",
      `This run file has format ${Number(version)}, made by a newer version. Import it there.`,
    );
  }
  throw new HoldfastError("corrupt", "This is no Holdfast run file. Choose one that a run was exported to.");
}

function corrupt(what: string): HoldfastError {
  return new HoldfastError("corrupt", `The run file is damaged: ${what}. Export the run again.`);
}
