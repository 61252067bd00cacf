/** Frames of one run in the order of their numbers: content hashed, encoded, framed, appended, and what that cost. */
import { sha256, toHex, type Bytes } from "../format/bytes";
import { CHUNK_BYTES, type ElementKind } from "../format/chunks";
import { ChunkEncoder, CODEC_STORED } from "../format/codec";
import { encodeFrame, frameBytes, type FrameType } from "../format/frame";
import type { Lease, Place } from "../format/stored";
import { readyZstd } from "../format/zstd";
import type { AddFrame, StateLane } from "./durable";

/** States go with their checkpoints; all else is the log, which stays as long as the run. */
const PART: Readonly<Record<FrameType, "state" | "log">> = {
  chunk: "state",
  commit: "state",
  data: "state",
  dataset: "state",
  run: "log",
  event: "log",
  journal: "log",
  edit: "log",
  import: "log",
};

/** Content that is framed in memory of its own. */
const SMALL = 64 * 1024;
/** One for all: what it makes is framed before anybody else gets a turn, and it keeps three mebibytes. */
const encoder = new ChunkEncoder();

export interface AddedFrame {
  readonly place: Place;
  readonly codec: number;
  /** SHA-256 of the content, hex. */
  readonly hash: string;
}

export class FrameSequence {
  readonly #add: AddFrame;
  readonly #lease: Lease;
  readonly #elapsed: () => number;
  readonly #stateLane: StateLane;
  readonly #packs = new Set<string>();
  /** For frames of large states: fresh memory for each would be there twice until it is collected. */
  #room: Bytes = new Uint8Array(0);
  /** Number of the next frame. */
  next: number;
  /** Bytes of frames of the state. */
  bytes = 0;
  /** Milliseconds spent in appends. */
  appending = 0;

  /** `elapsed`: milliseconds of a clock that never goes back. */
  constructor(
    add: AddFrame,
    lease: Lease,
    next: number,
    elapsed: () => number,
    stateLane: StateLane = "state",
  ) {
    this.#add = add;
    this.#lease = lease;
    this.next = next;
    this.#elapsed = elapsed;
    this.#stateLane = stateLane;
  }

  /** Packs that hold frames of the state. */
  get packs(): readonly string[] {
    return [...this.#packs];
  }

  /** `hash`: SHA-256 of `raw`, if it is known. `reference`: what a difference may be taken from. */
  async add(
    type: FrameType,
    raw: Bytes,
    kind: ElementKind,
    { hash, reference = null }: { readonly hash?: Bytes; readonly reference?: Bytes | null } = {},
  ): Promise<AddedFrame> {
    await readyZstd();
    const digest = hash ?? (await sha256(raw));
    const { codec, bytes } =
      raw.length > CHUNK_BYTES ? { codec: CODEC_STORED, bytes: raw } : encoder.encode(raw, kind, reference);
    const { run, epoch } = this.#lease;
    const header = { type, run, epoch, sequence: this.next++, codec, rawLength: raw.length, hash: digest };
    if (this.#room.length === 0 && raw.length > SMALL) this.#room = new Uint8Array(frameBytes(CHUNK_BYTES));
    const frame = encodeFrame(header, bytes, this.#room);
    const start = this.#elapsed();
    const isState = PART[type] === "state";
    const place = await this.#add(frame, isState ? this.#stateLane : "log");
    this.appending += this.#elapsed() - start;
    if (isState) {
      this.bytes += place.length;
      this.#packs.add(place.pack);
    }
    return { place, codec, hash: toHex(digest) };
  }
}
