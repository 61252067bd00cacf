/** What a person brings to train on, on its way to being data of a run. */
import type { Panel } from "./picture";

/** A file as it was brought, unpacked. */
export interface GivenFile {
  /** With its folders, as far as they are known, `/` between them. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Files as one task reads them. */
export interface ReadFiles {
  /** What is stored, hashed and trained on. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What was left out or assumed, in sentences. */
  readonly notes: readonly string[];
}

export type ColumnKind = "number" | "category" | "ignored";

/** A column of a table, as it was found. */
export interface ColumnFacts {
  readonly name: string;
  /** What its values look like. */
  readonly kind: ColumnKind;
  /** Why it is ignored, in a few words. */
  readonly why?: string;
  /** Cells without a value. */
  readonly missing: number;
  /** Different values. */
  readonly distinct: number;
  /** The first few values. */
  readonly examples: readonly string[];
  /** What is made of it as the settings are, beyond its kind; sentences. */
  readonly notes?: readonly string[];
}

/** Data before anything is trained on it, for the form of a new run. */
export interface DataPreview {
  /** How much of what it is, what was left out or assumed; sentences. */
  readonly notes: readonly string[];
  readonly panels: readonly Panel[];
  /** Why nothing can be trained on it as it is set, with the remedy; left out where it can. */
  readonly problem?: string;
  /** Of a table: what the settings `target` and `columns` choose from. */
  readonly columns?: readonly ColumnFacts[];
}
