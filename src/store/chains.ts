/**
 * What checkpoints share. A keyframe and those that lean on it fill packs of their own, a chain to a pack or to a few,
 * so that each pack is given back as a whole once nothing in it is needed.
 */
import type { CheckpointRow } from "./tables";

type Row = Pick<CheckpointRow, "packs" | "leans"> & {
  readonly info: Pick<CheckpointRow["info"], "storedBytes">;
};

export interface Chain<R extends Row = CheckpointRow> {
  /** In the order that they came in. */
  readonly rows: readonly R[];
  readonly packs: ReadonlySet<string>;
}

/** Checkpoints by the packs that they share. */
export function chainsOf<R extends Row>(rows: readonly R[]): readonly Chain<R>[] {
  const byPack = new Map<string, { readonly rows: R[]; readonly packs: Set<string> }>();
  for (const row of rows) {
    const known = new Set(row.packs.flatMap((name) => byPack.get(name) ?? []));
    const [chain = { rows: [], packs: new Set<string>() }, ...others] = known;
    // It connects what seemed to be apart.
    for (const other of others) {
      chain.rows.push(...other.rows);
      for (const name of other.packs) chain.packs.add(name);
    }
    chain.rows.push(row);
    for (const name of row.packs) chain.packs.add(name);
    for (const name of others.length > 0 ? chain.packs : row.packs) byPack.set(name, chain);
  }
  return [...new Set(byPack.values())];
}

/** Bytes of frames that these need: their own, and those of a keyframe that they lean on and that is not one of them. */
export function liveBytes(rows: readonly Row[]): number {
  return chainsOf(rows).reduce((sum, { rows: chain }) => {
    const own = chain.reduce((bytes, { info }) => bytes + info.storedBytes, 0);
    const isThere = chain.some(({ leans }) => leans === 0);
    return sum + own + (isThere ? 0 : Math.max(...chain.map(({ leans }) => leans)));
  }, 0);
}
