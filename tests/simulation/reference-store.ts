/**
 * A store of exactly 64 KiB, damaged one place at a time. Each damaged copy is opened twice: with its catalogue, where
 * nothing is read before it is needed, and without, where all of it is read. Every checkpoint then comes back bit for
 * bit or not at all, and what does not is named.
 */
import { HoldfastError } from "../../src/errors";
import { frameBytes } from "../../src/format/frame";
import { PACK_HEADER_BYTES } from "../../src/format/pack-header";
import { scanFrames } from "../../src/format/scan";
import type { State } from "../../src/format/tensors";
import { NO_ROWS } from "./catalog";
import { printOf } from "./check";
import type { Image } from "./disk";
import { hashAtOnce } from "./hashing";
import { Choices } from "./random";
import { FIRST, stateOf, World } from "./world";

export const STORE_BYTES = 64 * 1024;

/** What a byte is, as docs/format.md has it. */
export type ByteClass = "pack header" | "padding" | "state" | "log" | "data";

export type Result =
  /** Everything came back as it was, and nothing was said. */
  | "identical"
  /** Something did not come back, or comes from its second copy, and that is said; all else is as it was. */
  | "named"
  /** Everything that came back is as it was some time before, and nothing was said. */
  | "older"
  /** Anything else. */
  | "wrong";

export interface Place {
  readonly name: string;
  readonly at: number;
}

/** Bytes of noise in each of its states: what makes the store almost as large as it should be. */
export const NOISE = 15_000;
/** A comment of this many characters at most makes up the rest. */
const MAX_COMMENT = 20_000;

/** S_0, a keyframe, a difference from it, events, a journal, a new name, data twice. */
export async function referenceStore(): Promise<Image> {
  let comment = 0;
  while (comment < MAX_COMMENT) {
    const image = await madeWith(comment);
    const bytes = [...image.files.values()].reduce((sum, file) => sum + file.length, 0);
    if (bytes === STORE_BYTES) return image;
    if (bytes > STORE_BYTES) break;
    comment += Math.max(1, (STORE_BYTES - bytes) >> 2);
  }
  throw new Error(`No comment makes a store of ${STORE_BYTES} bytes: change NOISE.`);
}

async function madeWith(comment: number): Promise<Image> {
  const world = new World(undefined, undefined, NOISE);
  const tab = world.tab();
  const lease = await world.create(tab);
  await world.event(tab, lease, 0, { kind: "started" });
  await world.save(tab, lease, 1);
  const choices = new Choices(1);
  const why = Array.from({ length: comment }, () => choices.below(16).toString(16));
  await world.event(tab, lease, 1, { kind: "paused", why: why.join("") });
  await world.save(tab, lease, 2);
  await world.rename(tab, FIRST, "reference");
  await tab.manager.close();
  return world.disk.image();
}

/** All bytes of the store in one row. */
export function placesOf({ files }: Image): readonly Place[] {
  return [...files].flatMap(([name, bytes]) =>
    Array.from({ length: bytes.length }, (_, at) => ({ name, at })),
  );
}

/** The class of every byte, in the order of `placesOf`. */
export function classesOf({ files }: Image): readonly ByteClass[] {
  return [...files.values()].flatMap((bytes) => {
    const classes = new Array<ByteClass>(bytes.length).fill("padding");
    classes.fill("pack header", 0, PACK_HEADER_BYTES);
    for (const { offset, length, header } of scanFrames(bytes, PACK_HEADER_BYTES).frames) {
      const bulk = header.type === "data" || header.type === "dataset";
      const state = header.type === "chunk" || header.type === "commit";
      classes.fill(state ? "state" : bulk ? "data" : "log", offset, offset + length);
      if (frameBytes(header.storedLength) !== length) throw new Error("a frame of another length");
    }
    return classes;
  });
}

/**
 * Where a pack may end without a trace, as `name at`: behind its header, or behind one of its frames. Cut there, and without
 * the catalogue, it is a pack that was never written on.
 */
export function seamsOf({ files }: Image): ReadonlySet<string> {
  return new Set(
    [...files].flatMap(([name, bytes]) => [
      `${name} 0`,
      ...[{ offset: PACK_HEADER_BYTES }, ...scanFrames(bytes, PACK_HEADER_BYTES).frames].map(
        ({ offset }) => `${name} ${offset}`,
      ),
    ]),
  );
}

export class DamagedStore {
  readonly #image: Image;

  constructor(image: Image) {
    hashAtOnce();
    this.#image = image;
  }

  /** The worse of the results with and without the catalogue. With it, nothing goes unsaid. */
  async examine(files: Image["files"]): Promise<Result> {
    const kept = await this.#open({ files, rows: this.#image.rows });
    const lost = await this.#open({ files, rows: NO_ROWS });
    if (kept === "wrong" || kept === "older") return "wrong";
    return WORST_FIRST.find((result) => result === kept || result === lost) ?? "wrong";
  }

  async #open(image: Image): Promise<Result> {
    const { manager } = new World(image).tab();
    const { lost } = await manager.recovered();
    await manager.idle();
    let named = lost.length > 0;
    const [run] = await manager.runs();
    if (run === undefined) return named ? "named" : "wrong";
    const { checkpoint, state: restored } = await manager.restore(FIRST);
    if (!isRight(checkpoint.step, restored)) return "wrong";
    for (const { step } of await manager.checkpoints(FIRST)) {
      if (step === checkpoint.step) continue;
      try {
        if (!isRight(step, (await manager.read(FIRST, step)).state) || step > checkpoint.step) return "wrong";
      } catch (error) {
        if (!(error instanceof HoldfastError)) throw error;
        named = true;
      }
    }
    const all = run.checkpoints === 3 && run.step === 2 && run.name === "reference";
    const { events } = await manager.detail(FIRST);
    if (named) return "named";
    return all && events.length === 2 ? "identical" : "older";
  }
}

const WORST_FIRST: readonly Result[] = ["wrong", "older", "named", "identical"];

const prints = new Map<number, string>();

function isRight(step: number, state: State): boolean {
  const known = prints.get(step) ?? printOf(stateOf(FIRST, step, 0, NOISE));
  prints.set(step, known);
  return printOf(state) === known;
}
