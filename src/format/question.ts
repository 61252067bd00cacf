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
    };
