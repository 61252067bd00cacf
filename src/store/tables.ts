/**
 * The catalogue: the small facts that say what exists, in tables of plain rows, changed by transactions only.
 *
 * A checkpoint, an event or a run exists if and only if its row does. Packs hold the bytes; rows say where. All of
 * the rules (epochs, journal, commit) are written once, over this interface; IndexedDB and memory implement it.
 */
import type { Mark, RunEvent, RunRecord, RunStatus } from "../format/run";
import type { AuditEntry, CheckpointInfo, MirrorOptions, MirrorReport, Place } from "../format/stored";
import type { Sparkline } from "./sparkline";

/** A run and the running totals of its list line, so that the list needs no scan. */
export interface RunRow {
  readonly id: string;
  readonly record: RunRecord;
  readonly status: RunStatus;
  /** When it was put in the trash, milliseconds since 1970. */
  readonly removed: number | null;
  /** Last step in the journal. */
  readonly step: number;
  /** Steps asked for, with all that `extended` events added. */
  readonly steps: number;
  readonly loss: number | null;
  readonly sparkline: Sparkline;
  /** Number of the next event. */
  readonly nextEvent: number;
  /** Number of the next frame. */
  readonly nextFrame: number;
  readonly checkpoints: number;
  /** Bytes of its checkpoints in packs. */
  readonly bytes: number;
  /** Time of the newest checkpoint, milliseconds since 1970. */
  readonly saved: number | null;
  /** SHA-256 of the newest manifest, hex. */
  readonly lastCommit: string | null;
  /** The pack that its log goes on in. */
  readonly log: string | null;
  /** Last step whose journal row is in the log. */
  readonly logged: number;
  /** How many times a person edited it. */
  readonly edits: number;
  /** What a person put on steps of it, in their order. */
  readonly marks: readonly Mark[];
  readonly tags: readonly string[];
  readonly note: string;
}

export interface CheckpointRow {
  readonly run: string;
  readonly step: number;
  readonly info: CheckpointInfo;
  /** The frame that holds the manifest. */
  readonly commit: Place;
  /** SHA-256 of the manifest, hex: the second witness that the frame is the one that was committed. */
  readonly manifestHash: string;
  /** Every pack that holds a frame of it. */
  readonly packs: readonly string[];
  /** Bytes of frames that it needs and that were written for its keyframe. */
  readonly leans: number;
  /** A fork began here, so it stays while its run does. */
  readonly forked: boolean;
  /** When somebody last restored, compared or exported it, milliseconds since 1970; null: never. */
  readonly used: number | null;
}

/** Row i of the block is the update that made S_(from + i). */
export interface JournalBlock {
  readonly run: string;
  readonly from: number;
  readonly loss: Float32Array<ArrayBuffer>;
  readonly rate: Float32Array<ArrayBuffer>;
  readonly ms: Float32Array<ArrayBuffer>;
}

export interface EventRow {
  readonly run: string;
  readonly seq: number;
  readonly event: RunEvent;
}

/** A pack that something refers to. Any other pack is free once nobody holds it open. */
export interface PackRow {
  readonly name: string;
  /** The run whose checkpoints or log it holds, or null for data. */
  readonly run: string | null;
  /** Bytes of it that are committed; what lies behind them is not known here. */
  readonly size: number;
  /** When its header says that it was begun: an emptied pack that is filled again is another one. Null: not readable. */
  readonly created: number | null;
}

/** A pack, whoever it belongs to. */
export type PackFacts = Omit<PackRow, "run">;

/** Bytes that runs train on, by content. */
export interface DataRow {
  /** SHA-256, hex. */
  readonly hash: string;
  readonly bytes: number;
  /** The frames of each copy; copies share no pack. */
  readonly copies: readonly (readonly Place[])[];
  /** When somebody last asked for it to be there, milliseconds since 1970. */
  readonly touched: number;
}

/** Who may write a run. It only ever grows, and outlives the run: what is found of that in a pack is not brought back. */
export interface OwnerRow {
  readonly run: string;
  readonly epoch: number;
}

/** Where runs are mirrored to: one row at most. Packs say nothing of it, so it goes with the catalogue. */
export interface MirrorRow {
  readonly id: typeof MIRROR;
  readonly folder: FileSystemDirectoryHandle;
  readonly options: MirrorOptions;
  readonly report: MirrorReport | null;
  /** When every byte of it was last read back, milliseconds since 1970; null: never. */
  readonly checked: number | null;
}

export const MIRROR = "mirror";

export interface Tables {
  readonly runs: RunRow;
  readonly checkpoints: CheckpointRow;
  readonly journal: JournalBlock;
  readonly events: EventRow;
  readonly packs: PackRow;
  readonly data: DataRow;
  readonly owners: OwnerRow;
  readonly audit: AuditEntry;
  readonly mirrors: MirrorRow;
}

export type TableName = keyof Tables;
/** Tables of many rows to a run, by a number. */
export type NumberedTable = "checkpoints" | "journal" | "events" | "audit";
export type PlainTable = Exclude<TableName, NumberedTable>;

/** The key of each table: one field, or the run and a number. */
export const TABLE_KEYS = {
  runs: "id",
  checkpoints: ["run", "step"],
  journal: ["run", "from"],
  events: ["run", "seq"],
  packs: "name",
  data: "hash",
  owners: "run",
  audit: ["run", "seq"],
  mirrors: "id",
} as const satisfies Record<TableName, string | readonly [string, string]>;

export const TABLE_NAMES: readonly TableName[] = [
  "runs",
  "checkpoints",
  "journal",
  "events",
  "packs",
  "data",
  "owners",
  "audit",
  "mirrors",
];

/** Numbers that a range asks for, both included. */
export interface Span {
  readonly from?: number;
  readonly to?: number;
}

export interface CatalogReader {
  get<T extends PlainTable>(table: T, key: string): Promise<Tables[T] | undefined>;
  /** The row of a run with this number. */
  at<T extends NumberedTable>(table: T, run: string, number: number): Promise<Tables[T] | undefined>;
  /** All rows, in the order of their keys. */
  all<T extends PlainTable>(table: T): Promise<readonly Tables[T][]>;
  /** Rows of a run, in the order of their numbers. */
  of<T extends NumberedTable>(table: T, run: string, span?: Span): Promise<readonly Tables[T][]>;
  /** The row of a run with the highest number, at most `to`. */
  last<T extends NumberedTable>(table: T, run: string, to?: number): Promise<Tables[T] | undefined>;
}

export interface CatalogWriter extends CatalogReader {
  put<T extends TableName>(table: T, row: Tables[T]): Promise<void>;
  remove(table: PlainTable, key: string): Promise<void>;
  removeAt(table: NumberedTable, run: string, number: number): Promise<void>;
  /** Removes every row of a run. */
  removeOf(table: NumberedTable, run: string): Promise<void>;
}

/** `strict`: on the device when it resolves. `relaxed`: survives the browser's death, not the machine's. */
export type Durability = "strict" | "relaxed";

/**
 * Transactions: all of `work` or nothing of it, one after the other. What `work` throws undoes it and comes out
 * unchanged. Inside, `await` nothing but calls of `tx`: IndexedDB ends a transaction that waits for anything else.
 *
 * Fails with `quota` for lack of space and `refused` where the browser stores nothing (any more).
 */
export interface Catalog {
  readonly mode: "indexeddb" | "memory";
  read<R>(work: (tx: CatalogReader) => Promise<R>): Promise<R>;
  write<R>(durability: Durability, work: (tx: CatalogWriter) => Promise<R>): Promise<R>;
  close(): void;
}
