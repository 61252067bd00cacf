/** Into the store from a mirror: all runs of the folder, as far as they are whole. */
import { hasCode, HoldfastError, messageOf } from "../errors";
import {
  bundleParts,
  checkLineage,
  type BundleFile,
  type BundleIndex,
  type BundleRun,
} from "../format/bundle";
import type { MirrorImport, Watcher } from "../format/stored";
import { BundleSource } from "./bundle-source";
import { bringRuns } from "./import";
import type { CheckpointManager, StoreParts } from "../checkpoint/manager";
import { folderFiles, MIRROR_FORM, mirroredRuns, readMirrored, type Folder } from "./mirror-folder";
import { Work } from "./work";

/** What a person has is far below; it bounds what a folder can make the page hold. */
const MAX_FILES = 1_000_000;

/**
 * Reads every byte that is needed first. What is damaged stays out and is named; a run whose journal or data is damaged stays
 * out as a whole. `missing` where the folder has no run, `corrupt` where none of them is whole.
 */
export async function importMirror(
  manager: CheckpointManager,
  parts: StoreParts,
  folder: Folder,
  watcher: Watcher = {},
): Promise<MirrorImport> {
  const { each, damage } = await readMirror(folder);
  const work = new Work(watcher, 2 * each.reduce((sum, { source }) => sum + source.checkpointBytes, 0));
  const runs: BundleRun[] = [];
  const files = new Map<string, BundleFile>();
  for (const { index, source } of each) {
    for (const run of index.runs) {
      const { whole, damage: found } = await source.rescue(run, work);
      damage.push(...found);
      if (whole.length === 0) continue;
      runs.push({ ...run, checkpoints: whole });
      for (const file of index.files) files.set(file.name, file);
    }
  }
  if (runs.length === 0)
    throw new HoldfastError("corrupt", `No run of the folder is whole. ${damage.join(" ")}`);
  checkLineage(runs);
  const named = [...bundleParts(runs, MIRROR_FORM).keys()].flatMap((name) => files.get(name) ?? []);
  const index = { form: MIRROR_FORM, runs, files: named };
  const source = new BundleSource(folderFiles(folder, index), index);
  const imported = await bringRuns(manager, parts, source, work, "a mirror");
  work.end();
  return { imported, damage };
}

/** A run of the folder, to be read by its own index: what another one says of the files that they share does not count. */
interface Found {
  readonly index: BundleIndex;
  readonly source: BundleSource;
}

async function readMirror(
  folder: Folder,
): Promise<{ readonly each: readonly Found[]; readonly damage: string[] }> {
  const each: Found[] = [];
  const damage: string[] = [];
  let files = 0;
  for (const id of await mirroredRuns(folder)) {
    try {
      const index = await readMirrored(folder, id);
      if (index === null) continue;
      files += index.files.length;
      if (files > MAX_FILES)
        throw new HoldfastError(
          "invalid",
          `The folder has more than ${MAX_FILES} files. Move some folders of \`runs\` elsewhere, and import again.`,
        );
      each.push({ index, source: new BundleSource(folderFiles(folder, index), index) });
    } catch (error) {
      // One of a newer version keeps the others from nothing.
      if (!hasCode(error, "corrupt") && !hasCode(error, "unsupported")) throw error;
      damage.push(messageOf(error));
    }
  }
  if (each.length > 0) return { each, damage };
  if (damage.length > 0)
    throw new HoldfastError("corrupt", `No run of the folder can be read. ${damage.join(" ")}`);
  throw new HoldfastError(
    "missing",
    "There is no run in this folder. Choose one that runs were mirrored to.",
  );
}
