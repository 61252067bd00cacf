/**
 * Is everything there that the catalogue says? Quickly, by looking at what describes the rest; or all of it, every byte,
 * as a restore would read it. Nothing is changed but the marks on checkpoints.
 */
import { parseManifest, type Manifest } from "../format/manifest";
import { PACK_HEADER_BYTES } from "../format/pack-header";
import { scanFrames } from "../format/scan";
import type { Place, VerifyReport } from "../format/stored";
import type { CheckpointRow, DataRow, PackRow, RunRow } from "../store/tables";
import { checkCheckpoint, damageIn, unmoved, type CheckParts } from "./check";
import { readFrame } from "./read";

/** Awaited between pieces of work, so that what is urgent comes first. */
export type Between = () => Promise<void>;

interface Found {
  checkpoints: number;
  readonly damaged: string[];
}

/** Looks at every run, those in the trash too, and at the data that they train on. */
export async function verifyStore(parts: CheckParts, all: boolean, between: Between): Promise<VerifyReport> {
  const { runs, packs, data } = await parts.catalog.read(async (tx) => ({
    runs: await tx.all("runs"),
    packs: await tx.all("packs"),
    data: await tx.all("data"),
  }));
  const sizes = new Map((await parts.packs.list()).map(({ name, size }) => [name, size]));
  const known = new Map(packs.map((pack) => [pack.name, pack]));
  const found: Found = { checkpoints: 0, damaged: [] };
  for (const row of packs) {
    const size = sizes.get(row.name) ?? 0;
    // It may have been given back since.
    const isKept = size >= row.size || (await parts.catalog.read((tx) => tx.get("packs", row.name)));
    if (isKept !== undefined && size < row.size)
      found.damaged.push(`Pack ${row.name} has ${size} bytes where ${row.size} were committed.`);
  }
  for (const run of runs) await verifyRun(parts, run, { all, known, between, found });
  for (const row of data) await verifyData(parts, row, { all, known, between, found });
  return { all, runs: runs.length, checkpoints: found.checkpoints, damaged: found.damaged };
}

interface About {
  readonly all: boolean;
  readonly known: ReadonlyMap<string, PackRow>;
  readonly between: Between;
  readonly found: Found;
}

async function verifyRun(parts: CheckParts, run: RunRow, about: About): Promise<void> {
  const { name } = run.record;
  // Both at once: a checkpoint that is moved meanwhile lies in a pack that was not known before.
  const { rows, packs } = await parts.catalog.read(async (tx) => ({
    rows: await tx.of("checkpoints", run.id),
    packs: await tx.all("packs"),
  }));
  const known = new Map(packs.map((pack) => [pack.name, pack]));
  for (const row of rows) {
    await about.between();
    const damage = about.all
      ? await checkCheckpoint(parts, row, about.between)
      : await damageIn(() => checkManifest(parts, row, known));
    // It may have been let go of since it was listed.
    if ((await parts.catalog.read((tx) => unmoved(tx, row))) === undefined) continue;
    about.found.checkpoints++;
    if (damage !== null) about.found.damaged.push(`"${name}", step ${row.step}: ${damage}`);
  }
  const log = run.log === null ? undefined : about.known.get(run.log);
  if (about.all && log !== undefined) {
    const damage = await damageIn(() => checkLog(parts, log));
    if (damage !== null) about.found.damaged.push(`"${name}", its log: ${damage}`);
  }
}

/** The manifest, and that all it refers to lies within what was committed. */
async function checkManifest(
  { packs }: CheckParts,
  row: CheckpointRow,
  known: ReadonlyMap<string, PackRow>,
): Promise<string | null> {
  const { raw } = await readFrame(packs, row.commit, { type: "commit", run: row.run });
  const outside = placesOf(parseManifest(raw)).find(
    ({ pack, offset, length }) => offset + length > (known.get(pack)?.size ?? 0),
  );
  return outside === undefined
    ? null
    : `it needs byte ${outside.offset} of pack ${outside.pack}, which is gone.`;
}

function placesOf({ chunks }: Manifest): readonly Place[] {
  return chunks.flatMap(({ base, ...own }) => (base === null ? [own] : [own, base]));
}

async function checkLog({ packs }: CheckParts, { name, size }: PackRow): Promise<string | null> {
  const { damaged } = scanFrames(await packs.read(name, 0, size), PACK_HEADER_BYTES);
  const [first] = damaged;
  return first === undefined
    ? null
    : `bytes ${first.offset} to ${first.offset + first.length - 1} are damaged.`;
}

async function verifyData(
  parts: CheckParts,
  row: DataRow,
  { all, known, between, found }: About,
): Promise<void> {
  const name = `The data ${row.hash.slice(0, 12)}…`;
  if (row.copies.length === 0) found.damaged.push(`${name} is not in the store. Add the file again.`);
  for (const frames of row.copies) {
    await between();
    const damage = await damageIn(() => checkCopy(parts, frames, all, known));
    if (damage !== null) found.damaged.push(`${name}, one of its copies: ${damage}`);
  }
}

async function checkCopy(
  { packs }: CheckParts,
  frames: readonly Place[],
  all: boolean,
  known: ReadonlyMap<string, PackRow>,
): Promise<string | null> {
  for (const place of frames) {
    if (place.offset + place.length > (known.get(place.pack)?.size ?? 0))
      return `pack ${place.pack} is gone.`;
    if (all) await readFrame(packs, place, { type: "data", run: "" });
  }
  return null;
}
