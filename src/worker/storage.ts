/** All that the storage worker can be asked: checkpoints, files, comparison and status over one store. */
import { compareStates, environmentFacts, type SideState } from "../analysis/compare";
import { configStretches, settingsOf } from "../checkpoint/configs";
import { BlobOutput, type OpenOutput } from "../exchange/bundle-output";
import { surplusAt } from "../checkpoint/keep";
import { CheckpointManager, type StoreParts } from "../checkpoint/manager";
import { hasCode, messageOf } from "../errors";
import type { ConfigStretch } from "../format/manifest";
import { openCatalog } from "../store/catalog";
import { MemoryLocks, WebLocks } from "../store/locks";
import { MemoryPacks } from "../store/memory";
import { MemoryCatalog } from "../store/memory-catalog";
import { openOpfs } from "../store/opfs";
import type { Clock } from "../checkpoint/write";
import { dropEmpty, FileOutput } from "./file-output";
import { Mirroring } from "./mirroring";
import { part } from "./part";
import { Spool } from "./spool";
import type {
  BundleChoice,
  CheckpointInfo,
  ComparedStep,
  Comparison,
  Environment,
  Exported,
  Imported,
  Lease,
  MirrorImport,
  MirrorOptions,
  MirrorReport,
  MirrorStatus,
  RunRecord,
  RunStep,
  SaveRequest,
  State,
  StorageApi,
  StorageStatus,
  Watcher,
} from "./protocol";

/** A store, and why it is the one that it is. */
export interface OpenedStore {
  readonly parts: StoreParts;
  /** Empty where all is as it should be. */
  readonly reason: string;
  /** Where exports wait for their download; null where they can only be in memory. */
  readonly spool: Spool | null;
}

/** Reading back goes at four mebibytes a second at most: training has the disk and the core before it. */
const SCRUB_PAUSE_MS = 250;
/** A page that is open for less is left alone. */
const SCRUB_REST_MS = 10 * 60_000;

/** Hexadecimal digits of a hash: enough to tell two files apart. */
const HASH_SHOWN = 10;

/** Between two looks at how much room is left. */
const LOOK_MS = 10_000;
/** Of the quota: from the one on a run is thinned out, down to the other. */
const FULL = 0.9;
const ROOMY = 0.8;

const clock: Clock = { now: () => Date.now(), elapsed: () => performance.now() };

/** Opens what this browser offers: its disk, or else memory, with the reason in words. */
export async function openStore(platform: {
  readonly storage: StorageManager;
  readonly locks: LockManager | undefined;
}): Promise<OpenedStore> {
  if (platform.locks === undefined)
    return inMemory("This browser cannot keep two tabs from writing the same run.");
  try {
    const packs = await openOpfs(platform.storage);
    const catalog = await openCatalog();
    return {
      parts: { packs, catalog, locks: new WebLocks(platform.locks), clock, keep: surplusAt(clock.now) },
      reason: "",
      spool: canWriteFiles() ? Spool.over(platform.storage) : null,
    };
  } catch (error) {
    if (hasCode(error, "refused")) return inMemory(messageOf(error));
    throw error;
  }
}

function inMemory(reason: string): OpenedStore {
  const parts = {
    packs: new MemoryPacks(),
    catalog: new MemoryCatalog(),
    locks: new MemoryLocks(),
    clock,
    keep: surplusAt(clock.now),
  };
  return { parts, reason, spool: null };
}

/** Safari could not for long. */
function canWriteFiles(): boolean {
  return "createWritable" in FileSystemFileHandle.prototype;
}

/** The storage worker's calls, without the worker. */
export class StorageService
  extends CheckpointManager
  implements
    Omit<
      StorageApi,
      | "alive"
      | "connect"
      | "save"
      | "exportCheckpoint"
      | "exportBundle"
      | "importBundle"
      | "syncMirror"
      | "importMirror"
    >
{
  readonly #opened: OpenedStore;
  readonly #platform: Partial<Pick<StorageManager, "estimate" | "persisted">>;
  readonly #mirroring: Mirroring;
  /** When the room that is left was looked at last. */
  #looked = Number.NEGATIVE_INFINITY;
  #thinned = 0;

  constructor(opened: OpenedStore, platform: Partial<Pick<StorageManager, "estimate" | "persisted">>) {
    super(opened.parts);
    this.#opened = opened;
    this.#platform = platform;
    this.#mirroring = new Mirroring(this, opened.parts);
  }

  override async save(lease: Lease, request: SaveRequest): Promise<CheckpointInfo> {
    const saved = await super.save(lease, request);
    this.#mirroring.soon();
    const now = this.#opened.parts.clock.elapsed();
    if (now - this.#looked >= LOOK_MS) {
      this.#looked = now;
      // Nobody waits for it, and the next look will see what this one could not do.
      this.#stayBelowQuota(lease).catch(() => undefined);
    }
    return saved;
  }

  /** Moving what stays needs room itself, so it is made before there is none. */
  async #stayBelowQuota(lease: Lease): Promise<void> {
    const { usage, quota } = await this.#estimate();
    if (usage === null || quota === null || usage <= FULL * quota) return;
    // What the browser says is used follows a while later: the next look sees whether that was enough.
    if (await this.makeRoom(true)) return;
    this.#thinned += await this.thin(lease, usage - ROOMY * quota);
  }

  /** Reads everything back in idle time, and keeps a mirror in step, for as long as the page is open. */
  lookNowAndThen(): this {
    this.#mirroring.soon();
    this.watch({ pause: () => wait(SCRUB_PAUSE_MS), rest: () => wait(SCRUB_REST_MS) });
    return this;
  }

  /** Resolves when the list of runs can be answered: at once, unless it is empty and packs may know better. */
  async listed(): Promise<this> {
    const runs = await this.#opened.parts.catalog.read((tx) => tx.all("runs"));
    if (runs.length === 0) await this.recovered();
    return this;
  }

  async status(): Promise<StorageStatus> {
    const runs = await this.runs();
    const { usage, quota } = await this.#estimate();
    return {
      mode: this.#opened.parts.packs.mode,
      reason: this.#opened.reason,
      usage,
      quota,
      persisted: (await this.#platform.persisted?.().catch(() => false)) ?? false,
      perRun: Object.fromEntries(runs.map(({ id, bytes }) => [id, bytes])),
      thinned: this.#thinned,
      recovery: this.recovery,
      scrub: this.scrubbed,
    };
  }

  async state(run: string, step: number): Promise<State> {
    return (await this.read(run, step)).state;
  }

  async compare(steps: readonly ComparedStep[]): Promise<Comparison> {
    const sides: SideState[] = [];
    for (const step of steps) sides.push(await this.#side(step));
    return compareStates(sides);
  }

  async exportCheckpoint(at: RunStep, to: FileSystemFileHandle | null, watcher: Watcher): Promise<Blob> {
    const { parts } = this.#opened;
    const { exportCheckpoint } = await part(import("../exchange/export"));
    return orNothing(to, exportCheckpoint(this, parts, at, this.#output(to), watcher));
  }

  async exportBundle({ to, ...choice }: BundleChoice, watcher: Watcher): Promise<Exported> {
    const { exportBundle } = await part(import("../exchange/export"));
    const request = { ...choice, open: this.#output(to), watcher };
    return orNothing(to, exportBundle(this, this.#opened.parts, request));
  }

  mirror(): Promise<MirrorStatus | null> {
    return this.#mirroring.status();
  }

  setMirror(folder: FileSystemDirectoryHandle | null, options: MirrorOptions): Promise<void> {
    return this.#mirroring.set(folder, options);
  }

  syncMirror(all: boolean, watcher: Watcher): Promise<MirrorReport> {
    return this.#mirroring.sync(all, watcher);
  }

  importMirror(folder: FileSystemDirectoryHandle, watcher: Watcher): Promise<MirrorImport> {
    return this.#mirroring.import(folder, watcher);
  }

  override async close(): Promise<void> {
    await this.#mirroring.close();
    await super.close();
  }

  async importBundle(file: Blob, watcher: Watcher): Promise<readonly Imported[]> {
    const { importBundle } = await part(import("../exchange/import"));
    return importBundle(this, this.#opened.parts, file, watcher);
  }

  /** Into the file that was chosen, else into one that is then downloaded, else into whatever the browser has. */
  #output(to: FileSystemFileHandle | null): OpenOutput {
    const spool = this.#opened.spool;
    return async (bytes) => {
      if (to !== null) return FileOutput.open(to);
      if (spool === null) return new BlobOutput();
      return spool.open(bytes);
    };
  }

  async #side({ run, step, visited }: ComparedStep): Promise<SideState> {
    if (visited !== undefined) {
      const { record, events } = await this.detail(run);
      const stretch = configStretches(record, events, step).at(-1);
      return { ...factsOf(record, stretch, record.environment, visited.state), ...visited };
    }
    const { manifest, state, info, run: row } = await this.read(run, step);
    const { digest, metrics } = info;
    const facts = factsOf(row.record, manifest.configs.at(-1), manifest.environment, state);
    return { ...facts, digest, metrics, state };
  }

  /** Some browsers fail to estimate just when the disk is full; then nothing is said. */
  async #estimate(): Promise<Pick<StorageStatus, "usage" | "quota">> {
    const estimate = await this.#platform.estimate?.().catch(() => undefined);
    return { usage: estimate?.usage ?? null, quota: estimate?.quota ?? null };
  }
}

function factsOf(
  { id, name, task, seed, data }: RunRecord,
  stretch: ConfigStretch | undefined,
  environment: Environment,
  { scalars: { step, samples } }: State,
): Omit<SideState, "state" | "digest" | "metrics"> {
  return {
    run: id,
    runName: name,
    task,
    step,
    samples,
    settings: { task, ...settingsOf(seed, stretch) },
    hasOwnData: data.origin === "file",
    environment: environmentFacts(environment, `${data.name}, ${data.hash.slice(0, HASH_SHOWN)}…`),
  };
}

/** A file that was chosen for it may have been made for it, and then goes with it. */
async function orNothing<T>(to: FileSystemFileHandle | null, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (to !== null) await dropEmpty(to);
    throw error;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
