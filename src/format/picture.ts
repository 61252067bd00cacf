/** What a task draws of a state, as plain data: the page paints it without knowing the task. */
export type Picture =
  | {
      readonly kind: "boundary";
      readonly step: number;
      readonly size: number;
      /** size × size probabilities of class 1, row 0 at the top. */
      readonly grid: Float32Array<ArrayBuffer>;
      /** Half the width of the square shown. */
      readonly extent: number;
      /** x, y, class of each point. */
      readonly points: Float32Array<ArrayBuffer>;
    }
  | {
      readonly kind: "text";
      readonly step: number;
      readonly temperature: number;
      readonly sample: string;
      /** A stretch of held-out text and the loss of each of its characters, nats. */
      readonly heldOut: string;
      readonly losses: Float32Array<ArrayBuffer>;
    }
  | { readonly kind: "none"; readonly step: number };
