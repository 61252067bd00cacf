/** Bundles that are almost those: a part changed, and most often every outer defence made anew around it. */
import type { Bytes } from "../../src/format/bytes";
import type { Choices } from "../simulation/random";
import { rawZip, type RawEnd, type RawEntry, type RawFields } from "../support/raw-zip";
import { INDEX, sealed, type BundleModel, type CheckpointModel, type FileModel } from "./bundle-model";
import { damagedBytes, mutatedBytes } from "./mutate-bytes";
import { mutatedTree } from "./mutate-json";
import { mutatedTable } from "./mutate-table";

const NUMBERS = [0, 1, 8, 20, 45, 255, 65_534, 65_535, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];
const NAMES = [
  "",
  "..",
  "../x",
  "/x",
  "a//b",
  "a/",
  ".x",
  "x",
  INDEX,
  "README.txt",
  "a\\b",
  "\u0000",
  "x".repeat(201),
];

export async function mutatedBundle(model: BundleModel, choices: Choices): Promise<Bytes> {
  const kind = choices.below(20);
  if (kind === 0) return damagedBytes(await archiveOf(model), choices);
  if (kind === 1) return mutatedZip(await sealed(model, { agreeing: false, digests: false }), choices);
  if (kind === 2) return shuffledFiles(await sealed(model, { agreeing: false, digests: false }), choices);
  const agreeing = !choices.once(4);
  const digests = !choices.once(8);
  if (kind < 9) {
    const index = mutatedTree(model.index, choices);
    return rawZip(await sealed({ ...model, index }, { agreeing, digests }));
  }
  const at = choices.below(model.files.length);
  const files = model.files.with(at, mutatedFile(model.files[at]!, choices));
  const index = choices.once(6) ? mutatedTree(model.index, choices) : model.index;
  return rawZip(await sealed({ index, files }, { agreeing, digests }));
}

async function archiveOf(model: BundleModel): Promise<Bytes> {
  return rawZip(await sealed(model, { agreeing: false, digests: false }));
}

function mutatedFile(file: FileModel, choices: Choices): FileModel {
  switch (file.kind) {
    case "journal":
    case "metrics":
      return { ...file, content: mutatedTable(file.content, choices) };
    case "readme":
    case "data":
      return { ...file, content: choices.once(8) ? new Uint8Array(0) : mutatedBytes(file.content, choices) };
    case "checkpoint":
      return { ...file, checkpoint: mutatedCheckpoint(file.checkpoint, choices) };
  }
}

function mutatedCheckpoint(checkpoint: CheckpointModel, choices: Choices): CheckpointModel {
  const { header, facts, values } = checkpoint;
  switch (choices.below(5)) {
    case 0:
      return { ...checkpoint, header: mutatedTree(header, choices) };
    case 1:
      return { ...checkpoint, values: mutatedBytes(values, choices) };
    case 2:
      return { ...checkpoint, values: flipped(values, choices) };
    default:
      return { ...checkpoint, facts: mutatedTree(facts, choices) };
  }
}

/** As many bytes as before. */
function flipped(values: Bytes, choices: Choices): Bytes {
  const changed = values.slice();
  for (let left = 1 + choices.below(3); left > 0 && values.length > 0; left--)
    changed[choices.below(values.length)] = choices.below(256);
  return changed;
}

/** Files swapped, left out, doubled, or changed a little, the index as it was: it says something else of them. */
function shuffledFiles(entries: readonly RawEntry[], choices: Choices): Bytes {
  const [a, b] = [choices.below(entries.length), choices.below(entries.length)];
  const one = entries[a]!;
  switch (choices.below(5)) {
    case 0:
      return rawZip(entries.with(a, entries[b]!).with(b, one));
    case 1:
      return rawZip(entries.with(a, { ...one, content: entries[b]!.content }));
    case 2:
      return rawZip(entries.toSpliced(a, 1));
    case 3:
      return rawZip(entries.toSpliced(b, 0, one));
    default:
      return rawZip(entries.with(a, { ...one, content: mutatedBytes(one.content, choices) }));
  }
}

/** Fields of the archive that no honest writer writes. */
export function mutatedZip(entries: readonly RawEntry[], choices: Choices): Bytes {
  const at = choices.below(entries.length);
  const fields = fieldsOf(choices);
  const where = choices.of(["both", "local", "central"] as const);
  const named = choices.once(3) ? { ...entries[at]!, name: choices.of(NAMES) } : entries[at]!;
  const changed = choices.once(3) ? named : { ...named, [where]: fields };
  return rawZip(entries.with(at, changed), choices.once(3) ? endOf(entries.length, choices) : {});
}

function fieldsOf(choices: Choices): RawFields {
  const number = choices.of(NUMBERS);
  const short = number % 65_536;
  return choices.of<RawFields>([
    { name: choices.of(NAMES) },
    { version: short },
    { flags: short },
    { method: short },
    { time: short },
    { crc: number },
    { stored: number },
    { size: number },
    { stored: number, size: number },
    { offset: number },
    { attributes: number },
    { comment: "x" },
    { extra: Uint8Array.of(1, 0, 8, 0, ...Array.from({ length: 8 }, () => choices.below(256))) },
  ]);
}

function endOf(count: number, choices: Choices): RawEnd {
  const number = choices.of(NUMBERS);
  return choices.of<RawEnd>([
    { disk: number % 65_536 },
    { count: number % 65_536 },
    { countHere: number % 65_536, count: number % 65_536 },
    { length: number },
    { offset: number },
    { comment: "x" },
    { gap: Uint8Array.of(0) },
    { before: Uint8Array.of(80) },
    { after: Uint8Array.of(0) },
    { order: () => Array.from({ length: count }, () => choices.below(count)) },
  ]);
}
