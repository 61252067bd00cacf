/** Which choices input number `index` of a campaign is made of: any one can be made again without those before it. */
import fc, { type Arbitrary } from "fast-check";
import { Choices } from "../simulation/random";

export function choicesOf(seed: number, index: number): Choices {
  return new Choices(mixed((seed | 0) ^ mixed(index | 0)));
}

/** What fast-check makes of an arbitrary, by one choice. */
export function sampled<T>(arbitrary: Arbitrary<T>, choices: Choices): T {
  const [value] = fc.sample(arbitrary, { seed: choices.below(2 ** 31), numRuns: 1 });
  if (value === undefined) throw new Error("fast-check made nothing");
  return value;
}

/** The 32-bit finalizer of MurmurHash3, so that neighbours have nothing in common. */
function mixed(value: number): number {
  let z = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
