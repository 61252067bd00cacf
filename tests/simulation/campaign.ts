/** Crash images by workload, kind and seed; each is opened and checked once. */
import { readyZstd } from "../../src/format/zstd";
import { NO_ROWS } from "./catalog";
import { faultOf } from "./check";
import type { Failure, Image, Operation } from "./disk";
import { expectedAt } from "./expected";
import { hashAtOnce } from "./hashing";
import { damagedImage } from "./damage";
import { crashImage, hashOfImage, type Crash, type CrashImage } from "./images";
import { Choices } from "./random";
import { LocalSeen, type Seen } from "./seen";
import { SEQUENCES, sequence, WORKLOADS, type Workload } from "./workloads";
import { World } from "./world";

export const KINDS = [
  "process death",
  "power loss",
  "catalogue lost",
  "death while recovering",
  "failing operation",
  "damaged bytes",
] as const;

export type Kind = (typeof KINDS)[number];

const ALL_SEQUENCES = "sequences up to 3";
export const WORKLOAD_NAMES: readonly string[] = [...Object.keys(WORKLOADS), ALL_SEQUENCES];

/** Images that are made of one recording with a failing operation. */
export const IMAGES_PER_FAILURE = 8;
const CODES = ["quota", "refused", "allocation"] as const;
/** A crash while the store recovers, and one while it recovers from that. */
const DEPTH = 2;

/** Everything that can happen to every workload. */
export const CELLS: readonly Pick<Case, "workload" | "kind">[] = WORKLOAD_NAMES.flatMap((workload) =>
  KINDS.map((kind) => ({ workload, kind })),
);

export interface Case {
  readonly workload: string;
  readonly kind: Kind;
  readonly seed: number;
}

export interface Verdict {
  /** Of the image, hex. */
  readonly hash: string;
  /** What is wrong; null where nothing is, or where the image was known already. */
  readonly fault: string | null;
  readonly known: boolean;
}

/** Makes and checks images; knows those that it has seen. */
export class Campaign {
  readonly #recordings = new Map<string, World>();
  readonly #seen: Seen;

  constructor(seen: Seen = new LocalSeen()) {
    hashAtOnce();
    this.#seen = seen;
  }

  async examine({ workload, kind, seed }: Case): Promise<Verdict> {
    // Loaded before anything is timed by turns, so that the first recording is like any other.
    await readyZstd();
    const choices = new Choices(hashOfCase(workload, kind, seed));
    let world: World;
    try {
      world = await this.#recorded(workload, kind, seed, choices);
    } catch (error) {
      return { hash: `${workload} ${seed}`, fault: `it cannot be recorded: ${String(error)}`, known: false };
    }
    if (world.wrongs.length > 0)
      return { hash: `${workload} ${seed}`, fault: world.wrongs.join("; "), known: false };
    const boundary = choices.below(world.disk.log.length + 1);
    const crash: Crash = kind === "process death" ? kind : kind === "power loss" ? kind : anyCrash(choices);
    const maybeWiped = kind === "death while recovering" || kind === "damaged bytes";
    const wiped = kind === "catalogue lost" || (maybeWiped && choices.once(2));
    const first = crashImage(world.disk.base, world.disk.log, boundary, crash, choices);
    const found = wiped ? withoutCatalogue(first, world.disk.log, boundary, choices) : first;
    const left = await worsened(found, kind, choices);
    const hash = hashOfImage(left.image);
    if (!this.#seen.add(hash)) return { hash, fault: null, known: true };
    const { cleared, packsCleared } = world;
    const expected = expectedAt(world.facts, boundary, { wiped, cleared, packsCleared });
    const lossy = left.lossy || boundary >= packsCleared;
    return {
      hash,
      fault: await faultOf(left.image, expected, { lossy, namesLost: left.lossy, older: wiped }),
      known: false,
    };
  }

  async #recorded(workload: string, kind: Kind, seed: number, choices: Choices): Promise<World> {
    const part = workload === ALL_SEQUENCES ? SEQUENCES[seed % SEQUENCES.length] : undefined;
    const key = part === undefined ? workload : part.join();
    const work = part === undefined ? workloadOf(workload) : sequence(part);
    const healthy = this.#recordings.get(key) ?? (await record(work));
    this.#recordings.set(key, healthy);
    if (kind !== "failing operation") return healthy;
    const number = Math.floor(seed / IMAGES_PER_FAILURE);
    const lostAnswer = choices.once(8);
    const failure: Failure = {
      at: number % healthy.disk.asked,
      forever: number % 2 === 0,
      // A browser that answers "no room" has undone the transaction.
      code: lostAnswer ? "refused" : (CODES[Math.floor(number / 2) % CODES.length] ?? "quota"),
      lostAnswer,
    };
    const name = `${key} with ${JSON.stringify(failure)}`;
    const failing = this.#recordings.get(name) ?? (await record(work, failure));
    // Only the newest is kept: the next seeds are of the same one.
    for (const old of this.#recordings.keys())
      if (old.startsWith(`${key} with `)) this.#recordings.delete(old);
    this.#recordings.set(name, failing);
    return failing;
  }
}

function anyCrash(choices: Choices): Crash {
  return choices.once(2) ? "power loss" : "process death";
}

/** Of the workload from its beginning to its end. */
export async function record(work: Workload, failure?: Failure): Promise<World> {
  const world = new World(undefined, failure);
  await work(world);
  return world;
}

function workloadOf(name: string): Workload {
  const work = WORKLOADS[name];
  if (work === undefined) throw new Error(`No workload ${name}: there are ${WORKLOAD_NAMES.join(", ")}.`);
  return work;
}

/** The browser has emptied its database, or brought back an older copy of it. */
function withoutCatalogue(
  { image, lossy }: CrashImage,
  log: readonly Operation[],
  boundary: number,
  choices: Choices,
): CrashImage {
  const older = choices.once(2) ? olderRows(log, boundary, choices) : NO_ROWS;
  return { image: { ...image, rows: older }, lossy };
}

/** Rows since which the person cleared nothing. */
function olderRows(log: readonly Operation[], boundary: number, choices: Choices): Image["rows"] {
  const since = log.slice(0, boundary + 1).findLastIndex((operation) => operation.kind.startsWith("clear"));
  const copies = log
    .slice(since + 1, boundary)
    .flatMap((operation) => (operation.kind === "transaction" ? [operation.after] : []));
  return copies.length === 0 ? NO_ROWS : choices.of(copies);
}

async function worsened(found: CrashImage, kind: Kind, choices: Choices): Promise<CrashImage> {
  switch (kind) {
    case "death while recovering":
      return deathWhileRecovering(found, choices);
    case "damaged bytes":
      return { image: damagedImage(found.image, choices), lossy: true };
    default:
      return found;
  }
}

async function deathWhileRecovering(found: CrashImage, choices: Choices): Promise<CrashImage> {
  let left = found;
  const depth = 1 + choices.below(DEPTH);
  for (let at = 0; at < depth; at++) {
    const world = new World(left.image);
    const { manager } = world.tab();
    await manager.recovered();
    await manager.idle();
    const { log, base } = world.disk;
    const next = crashImage(base, log, choices.below(log.length + 1), anyCrash(choices), choices);
    left = { image: next.image, lossy: left.lossy || next.lossy };
  }
  return left;
}

function hashOfCase(workload: string, kind: string, seed: number): number {
  let hash = 2166136261;
  // FNV-1a, so that equal seeds of different cells are different choices.
  for (const char of `${workload} ${kind} ${seed}`) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619);
  return hash >>> 0;
}
