/** When runs are mirrored, and what is known of it: shortly after each save, at the opening of the store, and when asked. */
import { hasCode, HoldfastError, messageOf } from "../errors";
import type { CheckpointManager, StoreParts } from "../checkpoint/manager";
import { Work } from "../exchange/work";
import { MIRROR, type MirrorRow, type RunRow } from "../store/tables";
import { DiskFolder } from "./disk-folder";
import { part } from "./part";
import type {
  MirroredRun,
  MirrorImport,
  MirrorOptions,
  MirrorReport,
  MirrorStatus,
  Watcher,
} from "./protocol";

/** One tab at a time writes to the folder. */
const LOCK = "holdfast/mirror";
/** Saves that come close together are mirrored together. */
const SOON_MS = 2000;
/** For what no save tells of, after what failed, and while another tab is at it. */
const LATER_MS = 60_000;
/** A journal is written anew as a whole, so that long ones are copied less often: at most for this share of the time. */
const SHARE = 0.05;
const LONGEST_REST_MS = 5 * 60_000;

export class Mirroring {
  readonly #manager: CheckpointManager;
  readonly #parts: StoreParts;
  /** The next look; `due` by the clock that never goes back. */
  #next: { readonly due: number; readonly timer: ReturnType<typeof setTimeout> } | null = null;
  /** Ends what is under way: another folder, or none, is to be mirrored to. */
  #ending = new AbortController();
  /** No look before that. */
  #rested = 0;
  /** One after the other. */
  #tail: Promise<unknown> = Promise.resolve();
  #working = 0;
  #problem: string | null = null;
  #isClosed = false;
  /** By run, what its row was when it was brought in step. */
  readonly #seen = new Map<string, string>();

  constructor(manager: CheckpointManager, parts: StoreParts) {
    this.#manager = manager;
    this.#parts = parts;
  }

  /** Null where runs are not mirrored. */
  async status(): Promise<MirrorStatus | null> {
    const { row, saved } = await this.#parts.catalog.read(async (tx) => {
      const runs = await tx.all("runs");
      const row = await tx.get("mirrors", MIRROR);
      const times = runs.filter((run) => isMirrored(run, row?.options)).map((run) => run.saved ?? 0);
      return { row, saved: times.reduce((last, time) => Math.max(last, time), 0) };
    });
    if (row === undefined) return null;
    const { folder, options, report, checked } = row;
    const isPermitted = await new DiskFolder(folder).isPermitted("readwrite");
    const behind = report?.runs.find(({ problem }) => problem !== null);
    const problem = this.#problem ?? (behind === undefined ? null : `${behind.name}: ${behind.problem}`);
    const isBehind = report === null || saved > report.time;
    return {
      folder,
      options,
      state: this.#stateOf(isPermitted, problem, isBehind),
      problem,
      report,
      checked,
    };
  }

  #stateOf(isPermitted: boolean, problem: string | null, isBehind: boolean): MirrorStatus["state"] {
    if (!isPermitted) return "asks";
    if (this.#working > 0) return "working";
    if (problem !== null) return "failed";
    return isBehind ? "behind" : "in step";
  }

  /** From now on into this folder; null: no more, and what is there stays. */
  async set(folder: FileSystemDirectoryHandle | null, options: MirrorOptions): Promise<void> {
    this.#problem = null;
    this.#ending.abort();
    this.#ending = new AbortController();
    this.#seen.clear();
    this.#rested = 0;
    const before = await this.#row();
    // Of another folder nothing is known yet.
    const isSame = folder !== null && (await before?.folder.isSameEntry(folder)) === true;
    const { report = null, checked = null } = isSame ? (before ?? {}) : {};
    await this.#parts.catalog.write("strict", (tx) =>
      folder === null
        ? tx.remove("mirrors", MIRROR)
        : tx.put("mirrors", { id: MIRROR, folder, options, report, checked }),
    );
    this.soon();
  }

  /** There is something new. */
  soon(): void {
    this.#at(SOON_MS);
  }

  #at(ms: number): void {
    if (this.#isClosed) return;
    const now = this.#parts.clock.elapsed();
    const due = Math.max(now + ms, this.#rested);
    if (this.#next !== null && this.#next.due <= due) return;
    if (this.#next !== null) clearTimeout(this.#next.timer);
    const timer = setTimeout(() => {
      this.#next = null;
      void this.#look();
    }, due - now);
    this.#next = { due, timer };
  }

  /** Where it can be written to without asking; and again after a while, since not everything is told. */
  async #look(): Promise<void> {
    const { elapsed } = this.#parts.clock;
    const start = elapsed();
    try {
      // An older catalogue has older policies.
      await this.#manager.recovered();
      const row = await this.#row();
      if (row === undefined) return;
      if (await new DiskFolder(row.folder).isPermitted("readwrite")) await this.#sync(false, {}, this.#seen);
    } catch {
      // Its status says what is wrong.
    }
    const now = elapsed();
    this.#rested = now + Math.min(LONGEST_REST_MS, (now - start) / SHARE);
    this.#at(LATER_MS);
  }

  /** Brings it in step now; `all`: and reads every byte of it back. */
  sync(all: boolean, watcher: Watcher): Promise<MirrorReport> {
    return this.#sync(all, watcher, new Map());
  }

  /** `seen`: runs whose row is still that one are left as they are. */
  #sync(all: boolean, watcher: Watcher, seen: ReadonlyMap<string, string>): Promise<MirrorReport> {
    const { signal: ended } = this.#ending;
    return this.#inTurn(ended, async (row) => {
      const folder = await permitted(row.folder, "readwrite");
      const either = signals(ended, watcher.signal);
      const report = await this.#syncRuns(folder, row, {
        all,
        watcher: { ...watcher, signal: either },
        seen,
      });
      await this.#parts.catalog.write("relaxed", async (tx) => {
        const now = await tx.get("mirrors", MIRROR);
        if (now !== undefined && !ended.aborted)
          await tx.put("mirrors", { ...now, report, checked: all ? report.time : now.checked });
      });
      return report;
    });
  }

  async #syncRuns(
    folder: DiskFolder,
    { options, report }: MirrorRow,
    {
      all,
      watcher,
      seen,
    }: { readonly all: boolean; readonly watcher: Watcher; readonly seen: ReadonlyMap<string, string> },
  ): Promise<MirrorReport> {
    const runs = await this.#parts.catalog.read(async (tx) => {
      const each = [];
      for (const row of await tx.all("runs"))
        if (isMirrored(row, options)) each.push({ row, checkpoints: await tx.of("checkpoints", row.id) });
      return each;
    });
    const sizes = runs.flatMap(({ checkpoints }) => checkpoints.map(({ info }) => info.rawBytes));
    const work = new Work(
      watcher,
      sizes.reduce((sum, bytes) => sum + bytes, 0),
    );
    const done: MirroredRun[] = [];
    const sums = { written: 0, mended: 0, broughtBack: 0 };
    let latency: number | null = null;
    for (const { row, checkpoints } of runs) {
      const { id } = row;
      // That one was found damaged changes no run.
      const damaged = checkpoints.flatMap(({ step, info }) => (info.check === "damaged" ? [step] : []));
      const now = JSON.stringify([row, damaged]);
      const before = report?.runs.find(({ run }) => run === id);
      if (seen.get(id) === now && before?.problem === null) {
        done.push(before);
        continue;
      }
      try {
        const { archive = false } = options;
        const { syncRun } = await part(import("../exchange/mirror"));
        const synced = await syncRun(this.#manager, this.#parts, folder, id, { archive, all, work });
        done.push(synced.run);
        if (watcher.signal?.aborted !== true) this.#seen.set(id, now);
        sums.written += synced.written;
        sums.mended += synced.mended;
        sums.broughtBack += synced.broughtBack;
        // What was saved while nobody mirrored says nothing about how long it takes.
        if (synced.saved !== null && report !== null && synced.saved > report.time)
          latency = Math.max(latency ?? 0, this.#parts.clock.now() - synced.saved);
      } catch (error) {
        if (hasCode(error, "cancelled") || !(await folder.isPermitted("readwrite"))) throw error;
        // Deleted meanwhile: it stays in the folder as it is.
        if (hasCode(error, "missing") && !(await this.#isThere(id))) continue;
        const problem = messageOf(error);
        done.push({ run: id, name: row.record.name, checkpoints: 0, step: null, problem });
      }
    }
    work.end();
    return {
      time: this.#parts.clock.now(),
      runs: done,
      latency: latency ?? report?.latency ?? null,
      ...sums,
    };
  }

  /** All runs of a folder that was mirrored to, here or elsewhere. */
  async import(handle: FileSystemDirectoryHandle, watcher: Watcher): Promise<MirrorImport> {
    const { importMirror } = await part(import("../exchange/import-mirror"));
    const imported = await importMirror(this.#manager, this.#parts, await permitted(handle, "read"), watcher);
    this.soon();
    return imported;
  }

  async #inTurn<T>(ended: AbortSignal, work: (row: MirrorRow) => Promise<T>): Promise<T> {
    this.#working += 1;
    const turn = this.#tail.then(async () => {
      const row = ended.aborted ? undefined : await this.#row();
      if (ended.aborted) throw new HoldfastError("cancelled", "Another folder is to be mirrored to.");
      if (row === undefined)
        throw new HoldfastError("missing", "Runs are not mirrored to any folder. Choose one first.");
      const held = await this.#parts.locks.take(LOCK);
      if (held === null)
        throw new HoldfastError("busy", "Another tab is writing to the mirror. Try again when it is done.");
      try {
        return await work(row);
      } finally {
        held.release();
      }
    });
    this.#tail = turn.catch(() => undefined);
    try {
      const result = await turn;
      this.#problem = null;
      return result;
    } catch (error) {
      // Neither says anything about the mirror.
      if (!hasCode(error, "cancelled") && !hasCode(error, "busy")) this.#problem = messageOf(error);
      throw error;
    } finally {
      this.#working -= 1;
    }
  }

  #row(): Promise<MirrorRow | undefined> {
    return this.#parts.catalog.read((tx) => tx.get("mirrors", MIRROR));
  }

  async #isThere(run: string): Promise<boolean> {
    const row = await this.#parts.catalog.read((tx) => tx.get("runs", run));
    return row !== undefined && row.removed === null;
  }

  /** Nothing is begun any more, and what is under way ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#ending.abort();
    if (this.#next !== null) clearTimeout(this.#next.timer);
    await this.#tail;
  }
}

function isMirrored({ id, removed }: RunRow, options: MirrorOptions | undefined): boolean {
  return removed === null && (options?.runs?.includes(id) ?? true);
}

/** Aborted with either. */
function signals(first: AbortSignal, second: AbortSignal | undefined): AbortSignal {
  const both = new AbortController();
  for (const signal of [first, ...(second === undefined ? [] : [second])]) {
    if (signal.aborted) both.abort();
    signal.addEventListener("abort", () => {
      both.abort();
    });
  }
  return both.signal;
}

async function permitted(handle: FileSystemDirectoryHandle, mode: "read" | "readwrite"): Promise<DiskFolder> {
  const folder = new DiskFolder(handle);
  if (!(await folder.isPermitted(mode)))
    throw new HoldfastError(
      "refused",
      `The browser wants to be asked again before "${handle.name}" is used. Allow it on the Health screen.`,
    );
  await folder.checkThere();
  return folder;
}
