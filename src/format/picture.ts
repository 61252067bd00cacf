/** What a task draws of a state, as plain data: the page paints each kind of panel without knowing the task. */
export interface Picture {
  readonly step: number;
  /** The one that says most first; none where there is nothing to draw. */
  readonly panels: readonly Panel[];
}

export type Panel = {
  /** What it shows, in a few words. */
  readonly title: string;
  /** How to read it, where that is not plain. */
  readonly note?: string;
} & PanelBody;

type PanelBody =
  | {
      readonly kind: "boundary";
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
      readonly text: string;
      /** What to shade each character by, larger is darker (nats of loss); none: no shades. */
      readonly losses?: Float32Array<ArrayBuffer>;
    }
  | {
      readonly kind: "confusion";
      readonly classes: readonly string[];
      /** classes × classes: how many of the row's class were said to be of the column's. */
      readonly counts: Int32Array<ArrayBuffer>;
    }
  | {
      readonly kind: "images";
      readonly width: number;
      readonly height: number;
      /** 1: grey; 3: red, green, blue. */
      readonly channels: 1 | 3;
      /** One image after the other, row by row, 0 … 255. */
      readonly pixels: Uint8Array<ArrayBuffer>;
      /** One for each image. */
      readonly captions: readonly string[];
    }
  | {
      readonly kind: "bars";
      readonly bars: readonly { readonly name: string; readonly value: number }[];
    }
  | {
      readonly kind: "amount";
      readonly value: number;
      /** Of the training rows, in the same unit; `spread` is their standard deviation. */
      readonly mean: number;
      readonly spread: number;
    }
  | {
      /** Upright columns side by side, too many to name each. */
      readonly kind: "columns";
      readonly x: string;
      readonly y: string;
      /** What the first column stands for; the next ones for the whole numbers after it. */
      readonly first: number;
      readonly values: Float32Array<ArrayBuffer>;
    }
  | {
      /** Each point should lie on the diagonal: what is true and what was said of it, in the same unit. */
      readonly kind: "scatter";
      readonly x: string;
      readonly y: string;
      readonly points: Float32Array<ArrayBuffer>;
    };

/** What it holds of buffers, to be transferred. */
export function buffersOf(picture: Picture): ArrayBuffer[] {
  return picture.panels.flatMap((panel) => {
    switch (panel.kind) {
      case "boundary":
        return [panel.grid.buffer, panel.points.buffer];
      case "text":
        return panel.losses === undefined ? [] : [panel.losses.buffer];
      case "confusion":
        return [panel.counts.buffer];
      case "images":
        return [panel.pixels.buffer];
      case "bars":
      case "amount":
        return [];
      case "columns":
        return [panel.values.buffer];
      case "scatter":
        return [panel.points.buffer];
      default:
        return panel satisfies never;
    }
  });
}
