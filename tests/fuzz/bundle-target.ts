/**
 * Whole imports. What is refused leaves no trace; what comes in exports again to the same bytes, from its packs alone too,
 * restores, and is recognised when it comes a second time.
 */
import { encodeBundleIndex, parseBundleIndex, README_TEXT } from "../../src/format/bundle";
import type { CheckpointManager } from "../../src/checkpoint/manager";
import { equalBytes, type Bytes } from "../../src/format/bytes";
import { digestOf } from "../../src/format/digest";
import type { Imported } from "../../src/format/stored";
import { exportRuns, filesOf, importRuns } from "../support/bundles";
import { rawZip, type RawEntry } from "../support/raw-zip";
import { hashOf, INDEX } from "./bundle-model";
import { mutatedBundle } from "./mutate-bundle";
import { refused, faulty, type Outcome } from "./outcome";
import { copyOf, type Seeds } from "./seeds";
import { checked, type Target } from "./target";

/**
 * Bytes that may be read of a file: each is read once to check it, and once to take it in; a chunk that others are
 * differences from, once more for each of those.
 */
const READS_OF_ALL = 8;
const READS_BESIDE = 1 << 16;

/** Of what came in. */
const THOROUGH_ONCE_IN = 4;

/** Of the large ones. */
const HONEST_ONCE_IN = 4;

type Store = Awaited<ReturnType<typeof copyOf>>;

/** `importing`: what is tried; controls put a broken one there. */
export function bundleTarget(
  seeds: Seeds,
  empty: Store["disk"],
  importing: typeof importRuns = importRuns,
): Target {
  return {
    name: "bundle",
    share: 6,
    examine: async (choices) => {
      const bytes = await mutatedBundle(choices.of(seeds.bundles), choices);
      // Where runs of those names are already, they come in as copies, or are found to be there.
      const store = await copyOf(choices.once(5) ? seeds.disk : empty, false);
      const outcome = await examineBundle(bytes, store, {
        importing,
        isThorough: choices.once(THOROUGH_ONCE_IN),
      });
      await store.manager.close();
      return outcome;
    },
  };
}

/** The same with bundles that take several pieces to read, which take so long that few are tried; some as they were written. */
export function largeTarget(seeds: Seeds): Target {
  return {
    name: "large bundle",
    share: 0.125,
    examine: async (choices) => {
      const large = choices.of(await seeds.large());
      const isHonest = choices.once(HONEST_ONCE_IN);
      const bytes = isHonest ? large.bytes : await mutatedBundle(large.model, choices);
      const store = await copyOf(seeds.disk, false);
      const isThorough = choices.once(THOROUGH_ONCE_IN);
      const outcome = await examineBundle(bytes, store, { isHonest, isThorough });
      await store.manager.close();
      return outcome;
    },
  };
}

export async function examineBundle(
  bytes: Bytes,
  store: Store,
  {
    importing = importRuns,
    isHonest = false,
    isThorough,
  }: {
    readonly importing?: typeof importRuns;
    /** Exactly what an exporter wrote, of a run that is not here: it comes in, and leaves as the same bytes. */
    readonly isHonest?: boolean;
    readonly isThorough: boolean;
  },
): Promise<Outcome> {
  const { disk, parts, manager } = store;
  await manager.recovered();
  await manager.idle();
  const before = tracesOf(disk);
  const file = new CountedBlob(bytes);
  let imported: readonly Imported[];
  try {
    imported = await importing(manager, parts, file);
  } catch (error) {
    await manager.idle();
    if (file.isOverdone) return faulty(`${file.bytesRead} bytes were read of ${bytes.length}`);
    if (tracesOf(disk) !== before) return faulty(`a refusal left a trace: ${String(error)}`);
    if (isHonest) return faulty(`what nobody changed is refused: ${String(error)}`);
    return refused(error);
  }
  await manager.idle();
  if (file.isOverdone) return faulty(`${file.bytesRead} bytes were read of ${bytes.length}`);
  return checked(
    async () =>
      (await unlikeBefore(bytes, store, { imported, isHonest })) ??
      (isThorough ? unlikeElsewhere(store, imported) : null),
  );
}

/** Everything that was ever written: a refusal writes nothing, not even what it takes back. */
function tracesOf(disk: Store["disk"]): string {
  const packs = [...disk.files].map(([name, { bytes }]) => `${name} ${bytes.length}`);
  const changes = disk.journal.reduce((sum, one) => sum + one.changes.length, 0);
  return `${changes} ${packs.join()}`;
}

/** What came in leaves again as it came. */
async function unlikeBefore(
  bytes: Bytes,
  { manager, parts }: Store,
  { imported, isHonest }: { readonly imported: readonly Imported[]; readonly isHonest: boolean },
): Promise<string | null> {
  const ids = imported.map(({ run }) => run);
  const { form } = parseBundleIndex((await filesOf(new Blob([bytes]))).get(INDEX)!);
  const exported = await bytesOf(await exportRuns(manager, parts, ids, form));
  await manager.idle();
  if (isHonest) return equalBytes(exported, bytes) ? null : "what nobody changed exports to other bytes";
  // A chunk can be written in more ways than the one that Holdfast chooses; its state has its digest all the same.
  const isAsItWas = !form.isCompact && imported.every(({ how }) => how === "new");
  return isAsItWas && !equalBytes(exported, await asExported(bytes))
    ? "it exports to other bytes than it came with"
    : null;
}

/** It restores, is recognised when it comes again, and comes back from its packs alone. */
async function unlikeElsewhere(store: Store, imported: readonly Imported[]): Promise<string | null> {
  const { manager, parts } = store;
  const ids = imported.map(({ run }) => run);
  const hasData = imported.every((one) => one.hasData);
  const { damaged } = await manager.verify(true);
  // What was left out is named, as it should be.
  const unexpected = damaged.filter((line) => hasData || !line.includes("is not in the store"));
  if (unexpected.length > 0) return `what came in is damaged: ${unexpected.join(" ")}`;
  const unlike = await unrestored(manager, ids);
  if (unlike !== null) return unlike;
  const again = await importRuns(manager, parts, await exportRuns(manager, parts, ids, { hasData }));
  if (again.some(({ how }) => how !== "present")) return "it is not recognised when it comes again";
  // What was there before may have losses that are in the catalogue alone.
  const own = imported.flatMap(({ run, how }) => (how === "present" ? [] : [run]));
  return own.length === 0 ? null : unrecovered(store, own, hasData);
}

/** Every checkpoint is the state that it says. */
async function unrestored(manager: CheckpointManager, ids: readonly string[]): Promise<string | null> {
  for (const id of ids) {
    for (const { step, digest } of (await manager.detail(id)).checkpointList) {
      const { state } = await manager.read(id, step);
      if ((await digestOf(state)) !== digest) return `step ${step} of ${id} is another state than it says`;
    }
  }
  return null;
}

/** The same runs come back from the packs without the catalogue. */
async function unrecovered(
  { disk, parts, manager }: Store,
  ids: readonly string[],
  hasData: boolean,
): Promise<string | null> {
  const exported = await bytesOf(await exportRuns(manager, parts, ids, { hasData }));
  const other = await copyOf(disk, true);
  const { lost } = await other.manager.recovered();
  if (lost.length > 0) return `from its packs alone it is not whole: ${lost.join(" ")}`;
  for (const id of ids) {
    const [here, there] = [await factsOf(manager, id), await factsOf(other.manager, id)];
    if (here !== there) return `from its packs alone it is another run: ${there} and not ${here}`;
  }
  const again = await bytesOf(await exportRuns(other.manager, other.parts, ids, { hasData }));
  await other.manager.close();
  return equalBytes(again, exported) ? null : "from its packs alone it exports to other bytes";
}

/** What must be the same of a run wherever it comes from: all but its place, and what saving it cost and when. */
const FACTS = [
  ...(["status", "step", "steps", "loss", "sparkline", "checkpoints", "saved"] as const),
  ...(["tags", "stepTags", "marks", "note"] as const),
] as const;
const CHECKPOINT_FACTS = ["step", "time", "reason", "loss", "metrics", "rawBytes"] as const;

async function factsOf(manager: CheckpointManager, id: string): Promise<string> {
  const detail = await manager.detail(id);
  const list = detail.checkpointList.map((one) => CHECKPOINT_FACTS.map((name) => one[name]));
  return JSON.stringify([...FACTS.map((name) => detail[name]), list]);
}

/** The file as Holdfast would have written it: its own README, its index in the canonical form. */
async function asExported(bytes: Bytes): Promise<Bytes> {
  const files = await filesOf(new Blob([bytes]));
  const { form, runs, files: listed } = parseBundleIndex(files.get(INDEX)!);
  const readme = new TextEncoder().encode(README_TEXT);
  const entries: RawEntry[] = [];
  const list = listed.map(({ name, ...rest }, at) => {
    const content = at === 0 ? readme : files.get(name)!;
    entries.push({ name, content });
    return { ...rest, name, bytes: content.length, sha256: hashOf(content) };
  });
  return rawZip([...entries, { name: INDEX, content: encodeBundleIndex({ form, runs, files: list }) }]);
}

async function bytesOf(file: Blob): Promise<Bytes> {
  return new Uint8Array(await file.arrayBuffer());
}

/** A file that counts what is read of it, and ends the reading where it is too much. */
class CountedBlob extends Blob {
  readonly #most: number;
  bytesRead = 0;

  constructor(bytes: Bytes) {
    super([bytes]);
    this.#most = READS_OF_ALL * bytes.length + READS_BESIDE;
  }

  get isOverdone(): boolean {
    return this.bytesRead > this.#most;
  }

  override slice(start?: number, end?: number, type?: string): Blob {
    const part = super.slice(start, end, type);
    // Each reading counts, of nothing too.
    this.bytesRead += part.size + 1;
    if (this.isOverdone) throw new Error("too much of this file was read");
    return part;
  }
}
