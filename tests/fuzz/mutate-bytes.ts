/** Bytes that are almost those. */
import { concat, type Bytes } from "../../src/format/bytes";
import type { Choices } from "../simulation/random";

/** Where counting goes wrong. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const MOST_INSERTED = 40;

/** One to three changes. */
export function mutatedBytes(bytes: Bytes, choices: Choices): Bytes {
  let changed = bytes;
  for (let left = 1 + choices.below(3); left > 0; left--) changed = once(changed, choices);
  return changed;
}

/** Some bits turned, or the end cut off: what a bad disk makes. */
export function damagedBytes(bytes: Bytes, choices: Choices): Bytes {
  if (choices.once(3)) return bytes.slice(0, choices.below(bytes.length + 1));
  const damaged = bytes.slice();
  for (let left = 1 + choices.below(4); left > 0 && bytes.length > 0; left--)
    damaged[choices.below(bytes.length)]! ^= 1 << choices.below(8);
  return damaged;
}

function once(bytes: Bytes, choices: Choices): Bytes {
  const at = choices.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + choices.below(choices.once(2) ? 8 : 200));
  const part = bytes.subarray(at, end);
  switch (choices.below(8)) {
    case 0:
      return damagedBytes(bytes, choices);
    case 1:
      return concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 2:
      return concat([bytes.subarray(0, end), part, bytes.subarray(end)]);
    case 3:
      return concat([bytes.subarray(0, at), randomBytes(choices), bytes.subarray(at)]);
    case 4:
      return bytes.slice().fill(choices.of([0, 0x20, 0x30, 0xff]), at, end);
    case 5: {
      const moved = bytes.slice();
      moved.set(part, Math.min(choices.below(bytes.length + 1), bytes.length - part.length));
      return moved;
    }
    default:
      return withNumber(bytes, at, choices);
  }
}

function randomBytes(choices: Choices): Bytes {
  return Uint8Array.from({ length: 1 + choices.below(MOST_INSERTED) }, () => choices.below(256));
}

/** A number of 1, 2, 4 or 8 bytes at the edge, or a little more or less than it was. */
function withNumber(bytes: Bytes, at: number, choices: Choices): Bytes {
  const width = choices.of([1, 2, 4, 8]);
  const place = choices.once(2) ? at - (at % width) : at;
  if (place + width > bytes.length) return bytes;
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  let before = 0n;
  for (let byte = width - 1; byte >= 0; byte--) before = before * 256n + BigInt(changed[place + byte]!);
  const value = choices.once(2) ? choices.of(EDGES) : before + BigInt(choices.below(9) - 4);
  for (let byte = 0; byte < width; byte++)
    view.setUint8(place + byte, Number((BigInt.asUintN(64, value) >> BigInt(8 * byte)) & 0xffn));
  return changed;
}
