/**
 * Small tensors are updated together: joined into one vector, run through the rule, and parted again. For Adam and
 * K tensors that is about 3.6 · K + 12 dispatches instead of 12 · K, and on a small model the dispatches are the
 * cost. Rules work element by element, so the numbers are the same. Large tensors go alone: for them the copies
 * would cost more than the dispatches.
 */
import { concat1d, reshape, slice, type Rank, type Tensor } from "@tensorflow/tfjs-core";

/** Elements from which on a tensor goes alone; 256 KiB of float32, about where a copy costs as much as a dispatch. */
export const PACK_BELOW = 2 ** 16;

/** Elements that a pack may grow to; 16 MiB of float32, far below the 128 MiB that a GPU buffer may bind. */
const LARGEST_PACK = 2 ** 22;

/** Parts tensors into those to update together: alone, or small ones of one `decay`. Keeps their order in a group. */
export function groupsOf<T extends { readonly value: Tensor; readonly decay: boolean }>(
  members: readonly T[],
  packBelow = PACK_BELOW,
): T[][] {
  const groups: T[][] = [];
  const open = new Map<boolean, { readonly members: T[]; size: number }>();
  for (const member of members) {
    const { size } = member.value;
    if (size >= packBelow) {
      groups.push([member]);
      continue;
    }
    let pack = open.get(member.decay);
    if (pack === undefined || pack.size + size > LARGEST_PACK) {
      pack = { members: [], size: 0 };
      open.set(member.decay, pack);
      groups.push(pack.members);
    }
    pack.members.push(member);
    pack.size += size;
  }
  return groups;
}

/** One vector of all elements, in order. A single tensor is handed back as it is. */
export function joined(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (tensors.length === 1 && first !== undefined) return first;
  return concat1d(tensors.map((tensor) => reshape<Rank.R1>(tensor, [tensor.size])));
}

/** Undoes `joined`: tensors with the shapes of `like`. */
export function parted(vector: Tensor, like: readonly Tensor[]): Tensor[] {
  if (like.length === 1) return [vector];
  const tensors: Tensor[] = [];
  let offset = 0;
  for (const { size, shape } of like) {
    tensors.push(reshape(slice(vector, offset, size), shape));
    offset += size;
  }
  return tensors;
}
