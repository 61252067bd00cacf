/** One thread of the damage drill: every so many-th byte of the reference store, bit by bit, and every such length. */
import {
  classesOf,
  DamagedStore,
  placesOf,
  referenceStore,
  seamsOf,
  type ByteClass,
  type Place,
  type Result,
} from "./reference-store";

export interface DamageData {
  readonly part: number;
  readonly parts: number;
  /** Every `stride`-th place only. */
  readonly stride: number;
  readonly cutsOnly: boolean;
}

export interface Damage {
  readonly kind: "flip" | "cut";
  readonly byteClass: ByteClass;
  readonly result: Result;
  readonly count: number;
  /** The first one. */
  readonly place: Place;
}

const BITS = 8;

export async function work(
  { part, parts, stride, cutsOnly }: DamageData,
  post: (damages: readonly Damage[]) => void,
): Promise<void> {
  const image = await referenceStore();
  const store = new DamagedStore(image);
  const classes = classesOf(image);
  const seams = seamsOf(image);
  const counts = new Map<string, Damage>();
  const count = (kind: Damage["kind"], byteClass: ByteClass, result: Result, place: Place) => {
    const key = `${kind} ${byteClass} ${result}`;
    const known = counts.get(key) ?? { kind, byteClass, result, count: 0, place };
    counts.set(key, { ...known, count: known.count + 1 });
  };
  for (const [index, place] of placesOf(image).entries()) {
    if (index % (parts * stride) !== part * stride) continue;
    const byteClass = classes[index] ?? "padding";
    const whole = image.files.get(place.name) ?? new Uint8Array(0);
    for (let bit = 0; bit < (cutsOnly ? 0 : BITS); bit++) {
      const flipped = whole.slice();
      flipped[place.at] = (whole[place.at] ?? 0) ^ (1 << bit);
      const result = await store.examine(new Map(image.files).set(place.name, flipped));
      count("flip", byteClass, result === "older" ? "wrong" : result, place);
    }
    const cut = new Map(image.files).set(place.name, whole.slice(0, place.at));
    const result = await store.examine(cut);
    const isTraceless = seams.has(`${place.name} ${place.at}`);
    count("cut", byteClass, result === "older" && !isTraceless ? "wrong" : result, place);
  }
  post([...counts.values()]);
}
