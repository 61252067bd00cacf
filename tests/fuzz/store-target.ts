/**
 * Stores whose packs say something else than was written, with every checksum right: recovery, restores and checks end with
 * errors of ours, or with what is whole; and a second look finds nothing more.
 */
import { hasCode, HoldfastError, type ErrorCode } from "../../src/errors";
import type { CheckpointManager } from "../../src/checkpoint/manager";
import { concat, sha256, type Bytes } from "../../src/format/bytes";
import { digestOf } from "../../src/format/digest";
import { contentOf, encodeFrame, openFrame, type Frame } from "../../src/format/frame";
import { PACK_HEADER_BYTES } from "../../src/format/pack-header";
import { scanFrames } from "../../src/format/scan";
import type { Choices } from "../simulation/random";
import { inKeyOrder, parseTree, writeTree, type JsonTree } from "../support/json-tree";
import type { SimulatedDisk } from "../support/simulated-disk";
import { damagedBytes, mutatedBytes } from "./mutate-bytes";
import { mutatedTree } from "./mutate-json";
import { ACCEPTED, faulty, type Outcome } from "./outcome";
import { copyOf, type Seeds } from "./seeds";
import { checked, type Target } from "./target";

/** What reading a damaged store may say. */
const DAMAGE: readonly ErrorCode[] = ["corrupt", "missing", "unsupported"];

export function storeTarget({ disk }: Seeds): Target {
  return {
    name: "store",
    share: 2,
    examine: async (choices) => {
      const { disk: copy, manager } = await copyOf(disk, choices.once(2));
      const name = await mutatePacks(copy, choices);
      const outcome = await examineStore(manager, copy, { disk, name });
      await manager.close();
      return outcome;
    },
  };
}

/** Returns the name of the pack. */
async function mutatePacks(disk: SimulatedDisk, choices: Choices): Promise<string> {
  const name = choices.of([...disk.files.keys()]);
  const file = disk.files.get(name)!;
  file.bytes = choices.once(5) ? damagedBytes(file.bytes, choices) : await mutatedPack(file.bytes, choices);
  return name;
}

/** One frame, or two, with other content or another header, and checksums that fit. */
export async function mutatedPack(bytes: Bytes, choices: Choices): Promise<Bytes> {
  const frames = scanFrames(bytes, PACK_HEADER_BYTES).frames.map(({ offset, length }) =>
    bytes.subarray(offset, offset + length),
  );
  for (let left = 1 + choices.below(2); left > 0 && frames.length > 0; left--) {
    const at = choices.below(frames.length);
    const other = choices.below(frames.length);
    const kind = choices.below(8);
    if (kind === 0) frames.splice(at, 1);
    else if (kind === 1) frames.splice(other, 0, frames[at]!);
    else if (kind === 2) [frames[at], frames[other]] = [frames[other]!, frames[at]!];
    else frames[at] = await mutatedFrame(frames[at]!, choices);
  }
  return concat([bytes.subarray(0, PACK_HEADER_BYTES), ...frames]);
}

export async function mutatedFrame(bytes: Bytes, choices: Choices): Promise<Bytes> {
  const { header, stored } = openFrame(bytes);
  if (choices.once(4)) {
    const numbers = [0, 1, header.sequence + 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
    return encodeFrame(
      choices.of([
        { ...header, epoch: choices.of(numbers) },
        { ...header, sequence: choices.of(numbers) },
        { ...header, run: choices.of(["", "r3", "z".repeat(24)]) },
        {
          ...header,
          type: choices.of([
            "chunk",
            "commit",
            "data",
            "run",
            "event",
            "journal",
            "edit",
            "dataset",
            "import",
          ] as const),
        },
        { ...header, codec: choices.below(5) },
        { ...header, rawLength: choices.of([0, 1, header.rawLength + 4, 1 << 20, 1 << 26]) },
      ]),
      stored,
    );
  }
  const raw = choices.once(6) ? null : await contentOrNull({ header, stored });
  if (raw === null) return encodeFrame(header, mutatedBytes(stored, choices));
  const changed = mutatedContent(raw, choices);
  const hash = await sha256(changed);
  return encodeFrame({ ...header, codec: 0, rawLength: changed.length, hash }, changed);
}

/** Null for a difference, whose content is in another frame too, and for a frame that was changed before. */
async function contentOrNull(frame: Frame): Promise<Bytes | null> {
  try {
    return await contentOf(frame);
  } catch (error) {
    if (error instanceof HoldfastError) return null;
    throw error;
  }
}

/** What is JSON stays nearly that; all else is changed as bytes. */
function mutatedContent(raw: Bytes, choices: Choices): Bytes {
  let tree: JsonTree;
  try {
    tree = parseTree(new TextDecoder().decode(raw));
  } catch {
    return mutatedBytes(raw, choices);
  }
  return new TextEncoder().encode(writeTree(inKeyOrder(mutatedTree(tree, choices))));
}

/** The store as it was, and the pack of it that was changed. */
interface Mutation {
  readonly disk: SimulatedDisk;
  readonly name: string;
}

async function examineStore(
  manager: CheckpointManager,
  disk: SimulatedDisk,
  mutation: Mutation,
): Promise<Outcome> {
  const { lost } = await manager.recovered();
  const foreign = lost.find((line) =>
    /is not a function|undefined|Invalid|RangeError|TypeError|not iterable/.test(line),
  );
  if (foreign !== undefined) return faulty(`it says: ${foreign}`);
  const outcome = await checked(
    async () =>
      (await unreadable(manager)) ?? (await harmed(manager, mutation)) ?? (await unsettled(manager, disk)),
  );
  if (outcome.fault !== null) return outcome;
  const [first] = lost;
  return first === undefined
    ? ACCEPTED
    : { reached: `lost: ${first.replaceAll(/p-\w+|[0-9a-f]{12,}|\d+/g, "#").slice(0, 110)}`, fault: null };
}

/** Whatever is listed can be looked at, and restores bit for bit or says why not. */
async function unreadable(manager: CheckpointManager): Promise<string | null> {
  for (const { id } of await manager.runs()) {
    await allowing(DAMAGE, () => manager.ready(id));
    for (const { step, digest } of (await manager.detail(id)).checkpointList) {
      const read = await allowing(DAMAGE, () => manager.read(id, step));
      if (read !== null && (await digestOf(read.state)) !== digest)
        return `step ${step} of ${id} is another state than it says`;
    }
    await allowing(DAMAGE, () => manager.restore(id));
    await manager.journal(id);
  }
  await allowing(DAMAGE, () => manager.ready(null));
  await manager.verify(true);
  return null;
}

/** Runs that have nothing in that pack are all there. */
async function harmed(manager: CheckpointManager, { disk, name }: Mutation): Promise<string | null> {
  const { runs, pack } = await disk.catalog.read(async (tx) => ({
    runs: await tx.all("runs"),
    pack: await tx.get("packs", name),
  }));
  for (const { id, checkpoints } of runs) {
    if (pack === undefined || pack.run === id) continue;
    const { checkpointList } = await manager.detail(id);
    if (checkpointList.length !== checkpoints)
      return `${id} has lost checkpoints, and none of its packs was changed`;
    for (const { step } of checkpointList) await manager.read(id, step);
    await manager.ready(id);
  }
  return null;
}

/** Opened again, it is what it was. */
async function unsettled(manager: CheckpointManager, disk: SimulatedDisk): Promise<string | null> {
  await manager.close();
  const list = async (one: CheckpointManager) =>
    JSON.stringify(
      (await one.runs()).map(({ id, name, step, checkpoints }) => [id, name, step, checkpoints]),
    );
  const { manager: next } = await copyOf(disk, false);
  await next.recovered();
  const [before, after] = [await list(manager), await list(next)];
  await next.close();
  return before === after ? null : `a second look makes ${after} of ${before}`;
}

async function allowing<T>(codes: readonly ErrorCode[], work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HoldfastError && codes.some((code) => hasCode(error, code))) return null;
    throw error;
  }
}
