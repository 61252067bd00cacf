/** Digits drawn by strokes: slanted, stretched, shaken and in noise, each by the seed. White on black, 28 × 28. */
import { normals, uniforms } from "../engine/random";
import type { ImageSet } from "./image-set";

const SIDE = 28;
const DIGITS = 10;
/** How far it varies: radians, shares of the size, shares of the side. */
const SLANT = 0.25;
const TURN = 0.2;
const STRETCH = 0.15;
const SHIFT = 0.06;
const SHAKE = 0.025;
/** Half the width of a stroke, shares of the side. */
const PEN = [0.035, 0.07] as const;
const NOISE = 18;
/** Share of the side that a digit fills. */
const FILLS = 0.68;
/** Uniform numbers for one digit: turn, slant, two stretches, two shifts, pen. */
const DRAWS = 7;
/** Points that can be shaken, in the digit that has most. */
const MOST_POINTS = 26;

type Point = readonly [x: number, y: number];
type Stroke = readonly Point[];

/** Points on an ellipse from one angle to another, radians; 0 is right, and angles grow downwards. */
function arc(x: number, y: number, rx: number, ry: number, from: number, to: number, points: number): Stroke {
  return Array.from({ length: points }, (_, i) => {
    const angle = from + ((to - from) * i) / (points - 1);
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)] as const;
  });
}

const PI = Math.PI;
/** In the unit square, y downwards. */
const STROKES: readonly (readonly Stroke[])[] = [
  [arc(0.5, 0.5, 0.3, 0.48, 0, 2 * PI, 17)],
  [
    [
      [0.32, 0.2],
      [0.55, 0.02],
      [0.55, 0.98],
    ],
  ],
  [[...arc(0.5, 0.28, 0.3, 0.26, PI, 2.3 * PI, 10), [0.2, 0.98], [0.82, 0.98]]],
  [arc(0.46, 0.26, 0.3, 0.24, 1.2 * PI, 2.45 * PI, 9), arc(0.46, 0.73, 0.33, 0.25, 1.5 * PI, 2.85 * PI, 10)],
  [
    [
      [0.62, 0.98],
      [0.62, 0.02],
      [0.16, 0.66],
      [0.86, 0.66],
    ],
  ],
  [[[0.78, 0.03], [0.28, 0.03], [0.24, 0.45], ...arc(0.47, 0.68, 0.31, 0.29, 1.25 * PI, 2.8 * PI, 11)]],
  [[[0.68, 0.02], ...arc(0.5, 0.7, 0.28, 0.28, 1.15 * PI, 3.15 * PI, 15)]],
  [
    [
      [0.18, 0.04],
      [0.82, 0.04],
      [0.4, 0.98],
    ],
  ],
  [arc(0.5, 0.26, 0.25, 0.24, 0.5 * PI, 2.5 * PI, 13), arc(0.5, 0.74, 0.3, 0.25, -0.5 * PI, 1.5 * PI, 13)],
  [[...arc(0.5, 0.3, 0.28, 0.28, 2.1 * PI, 0.1 * PI, 15), [0.66, 0.98]]],
];

/** What is known of them before they are drawn, which takes long. */
export function blankDigits(count: number): Omit<ImageSet, "pixels"> {
  // Classes follow each other, so that every stretch has all of them.
  const labels = Uint16Array.from({ length: count }, (_, i) => i % DIGITS);
  const classes = Array.from({ length: DIGITS }, (_, digit) => String(digit));
  return { width: SIDE, height: SIDE, channels: 1, classes, labels };
}

export function drawnDigits(count: number, seed: number): ImageSet {
  const blank = blankDigits(count);
  const pixels = new Uint8Array(count * SIDE * SIDE);
  for (const [i, label] of blank.labels.entries()) pixels.set(drawn(label, seed, i), i * SIDE * SIDE);
  return { ...blank, pixels };
}

function drawn(digit: number, seed: number, index: number): Uint8Array {
  const [turn = 0, slant = 0, wide = 0, high = 0, right = 0, down = 0, pen = 0] = Array.from(
    uniforms(seed, "data/digits/form", index, DRAWS),
    (draw) => 2 * draw - 1,
  );
  const shakes = normals(seed, "data/digits/shake", index, 2 * MOST_POINTS);
  const [cosine, sine] = [Math.cos(TURN * turn), Math.sin(TURN * turn)];
  let shaken = 0;
  const place = ([x, y]: Point): Point => {
    const at = 2 * (shaken++ % MOST_POINTS);
    const u = (x - 0.5 + SHAKE * (shakes[at] ?? 0)) * (1 + STRETCH * wide);
    const v = (y - 0.5 + SHAKE * (shakes[at + 1] ?? 0)) * (1 + STRETCH * high);
    const leant = u - SLANT * slant * v;
    return [
      SIDE * (0.5 + SHIFT * right + FILLS * (cosine * leant - sine * v)),
      SIDE * (0.5 + SHIFT * down + FILLS * (sine * leant + cosine * v)),
    ];
  };
  const strokes = (STROKES[digit] ?? []).map((stroke) => stroke.map(place));
  const radius = SIDE * (PEN[0] + ((PEN[1] - PEN[0]) * (pen + 1)) / 2);
  const noise = normals(seed, "data/digits/noise", index, SIDE * SIDE);
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const distance = Math.sqrt(squaredDistance(strokes, (i % SIDE) + 0.5, Math.floor(i / SIDE) + 0.5));
    // One pixel from full to none: an edge without stairs.
    const ink = Math.min(1, Math.max(0, radius + 0.5 - distance));
    return Math.min(255, Math.max(0, Math.round(255 * ink + NOISE * (noise[i] ?? 0))));
  });
}

function squaredDistance(strokes: readonly Stroke[], x: number, y: number): number {
  let least = Infinity;
  for (const stroke of strokes) {
    for (let i = 1; i < stroke.length; i++) {
      const [ax, ay] = stroke[i - 1] ?? [0, 0];
      const [bx, by] = stroke[i] ?? [0, 0];
      const [dx, dy] = [bx - ax, by - ay];
      const length = dx * dx + dy * dy;
      const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
      least = Math.min(least, (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2);
    }
  }
  return least;
}
