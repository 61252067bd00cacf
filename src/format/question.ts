/** Something of a person's own to put through a model, to see what it makes of it. It changes nothing of the run. */
export type Question =
  | {
      readonly kind: "image";
      readonly width: number;
      readonly height: number;
      /** Grey, row by row, 0 … 255: light on dark, as on a blackboard. */
      readonly pixels: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly kind: "text";
      /** What it goes on from. */
      readonly prompt: string;
      /** Above 0; below 1 it takes fewer risks than it learnt. */
      readonly temperature: number;
      /** Drawn from so many of the likeliest; 0: from all. */
      readonly topK: number;
      /** How many to write. */
      readonly characters: number;
      /** The same seed writes the same. */
      readonly seed: number;
    }
  | {
      readonly kind: "row";
      /** By the name of its column, as a cell stands in the table; empty where it is missing. What a model does not read is left alone. */
      readonly cells: Readonly<Record<string, string>>;
    };

/** A held-out row of a table, and what a form needs to ask of others like it. */
export interface RowExample {
  /** Counted from 1 below the names. */
  readonly row: number;
  /** All that are held out, of which this is one. */
  readonly of: number;
  /** Of every column, the target's too. */
  readonly cells: Readonly<Record<string, string>>;
  /** The column that is learned. */
  readonly target: string;
  /** What the model reads, in the order of the table. */
  readonly fields: readonly RowField[];
}

/** A column that a row is asked by. */
export interface RowField {
  readonly name: string;
  readonly kind: "number" | "category";
  /** Only where rows of the table lack it does the model know what that means. */
  readonly canBeMissing: boolean;
  /** Of a category: the values that are told apart. */
  readonly values: readonly string[];
  /** Of a category: one of the rarer values, which are all the same to the model; null where there are none. */
  readonly rare: string | null;
}
