/** The readers of text and bytes, each on its own: cheap, so most inputs are theirs. */
import fc from "fast-check";
import { encodeBundleIndex, parseBundleIndex } from "../../src/format/bundle";
import { concat, equalBytes, type Bytes } from "../../src/format/bytes";
import { checkpointHead, parseCheckpointHead } from "../../src/format/checkpoint-file";
import { journalCsv, JournalTable } from "../../src/format/journal-csv";
import { parseJson } from "../../src/format/json";
import { parseSafetensorsHead, readSafetensors, writeSafetensors } from "../../src/format/safetensors";
import { localHeader, zipEnd, ZipReader } from "../../src/format/zip";
import type { Choices } from "../simulation/random";
import { bytesSource } from "../support/bytes-source";
import { inKeyOrder, treeOf, writeTree } from "../support/json-tree";
import { rawZip, type RawEntry } from "../support/raw-zip";
import { contentOf, headOf, sealed, type BundleModel, type CheckpointModel } from "./bundle-model";
import { damagedBytes, mutatedBytes } from "./mutate-bytes";
import { mutatedZip } from "./mutate-bundle";
import { mutatedTree } from "./mutate-json";
import { mutatedTable } from "./mutate-table";
import { sampled } from "./input";
import { parserTarget, type Target } from "./target";

const MAX_JSON_BYTES = 1 << 20;
const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
const anyBytes = fc.uint8Array({ maxLength: 200 });
const anyHeader = fc.dictionary(
  fc.string({ maxLength: 6 }),
  fc.record({
    dtype: fc.constantFrom("F32", "I32", "U8", "BOOL", "F16", "X"),
    shape: fc.array(fc.nat(3), { maxLength: 9 }),
    data_offsets: fc.tuple(fc.nat(40), fc.nat(40)),
  }),
  { maxKeys: 4 },
);

/** Mostly what `make` gives; else the bytes of a good one damaged, or any bytes at all. */
function input(good: readonly Bytes[], make: (choices: Choices) => Bytes) {
  return (choices: Choices): Bytes => {
    switch (choices.below(12)) {
      case 0:
        return Uint8Array.from(sampled(anyBytes, choices));
      case 1:
        return damagedBytes(choices.of(good), choices);
      case 2:
        return mutatedBytes(choices.of(good), choices);
      default:
        return make(choices);
    }
  };
}

export async function parserTargets(bundles: readonly BundleModel[]): Promise<readonly Target[]> {
  const checkpoints = bundles.flatMap(({ files }) =>
    files.flatMap((file) => (file.kind === "checkpoint" ? [file.checkpoint] : [])),
  );
  const journals = bundles.flatMap(({ files }) =>
    files.filter(({ kind }) => kind === "journal").map(contentOf),
  );
  const archives = await Promise.all(
    bundles.map((model) => sealed(model, { agreeing: false, digests: false })),
  );
  return [
    jsonTarget(bundles),
    indexTarget(bundles, archives),
    zipTarget(archives),
    checkpointTarget(checkpoints),
    headTarget(checkpoints),
    fileTarget(checkpoints),
    journalTarget(journals),
  ];
}

function jsonTarget(bundles: readonly BundleModel[]): Target {
  const good = bundles.map(({ index }) => utf8(writeTree(index)));
  return parserTarget({
    name: "JSON",
    share: 110,
    input: input(good, (choices) => {
      if (choices.once(2)) return mutatedBytes(choices.of(good), choices);
      return utf8(writeTree(mutatedTree(choices.of(bundles).index, choices)));
    }),
    parse: (bytes) => parseJson(bytes, "The text", MAX_JSON_BYTES),
    // Another reader makes the same of what it wrote: nothing hides in it.
    check: (value, bytes) =>
      JSON.stringify(value) === JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)))
        ? null
        : "it is not what JSON.parse reads",
  });
}

function indexTarget(bundles: readonly BundleModel[], archives: readonly (readonly RawEntry[])[]): Target {
  const good = archives.map((entries) => entries.at(-1)!.content);
  return parserTarget({
    name: "index",
    share: 125,
    input: input(good, (choices) => utf8(writeTree(mutatedTree(choices.of(bundles).index, choices)))),
    parse: parseBundleIndex,
    check: (index) => {
      const written = encodeBundleIndex(index);
      return equalBytes(encodeBundleIndex(parseBundleIndex(written)), written)
        ? null
        : "it reads differently again";
    },
  });
}

function zipTarget(archives: readonly (readonly RawEntry[])[]): Target {
  const good = archives.map((entries) => rawZip(entries));
  return parserTarget({
    name: "ZIP",
    share: 95,
    input: input(good, (choices) => mutatedZip(choices.of(archives), choices)),
    parse: async (bytes) => {
      const zip = await ZipReader.open(bytesSource(bytes));
      const parts: Bytes[] = [];
      for (const entry of zip.entries) {
        parts.push(localHeader(entry));
        for await (const piece of zip.pieces(entry)) parts.push(piece);
      }
      return concat([...parts, zipEnd(zip.entries)]);
    },
    check: (written, bytes) => (equalBytes(written, bytes) ? null : "it is written differently again"),
  });
}

function checkpointTarget(checkpoints: readonly CheckpointModel[]): Target {
  return parserTarget({
    name: "checkpoint head",
    share: 100,
    input: input(checkpoints.map(headOf), (choices) => {
      const one = choices.of(checkpoints);
      if (choices.once(3)) return headOf({ ...one, header: mutatedTree(one.header, choices) });
      return headOf({ ...one, facts: mutatedTree(one.facts, choices) });
    }),
    parse: (bytes) => parseCheckpointHead(bytes, "The checkpoint"),
    check: ({ facts, tensors }, bytes) =>
      equalBytes(checkpointHead(facts, tensors), bytes) ? null : "it is written differently again",
  });
}

function headTarget(checkpoints: readonly CheckpointModel[]): Target {
  const good = checkpoints.map((one) => headOf(one).subarray(8));
  return parserTarget({
    name: "safetensors head",
    share: 85,
    input: input(good, (choices) =>
      choices.once(3)
        ? utf8(writeTree(treeOf(sampled(anyHeader, choices))))
        : utf8(writeTree(mutatedTree(choices.of(checkpoints).header, choices))),
    ),
    parse: parseSafetensorsHead,
    check: ({ tensors, bytes }) => {
      const names = new Set(tensors.map(({ name }) => name));
      if (names.size !== tensors.length) return "it has a name twice";
      return Number.isSafeInteger(bytes) ? null : "its length is no number";
    },
  });
}

function fileTarget(checkpoints: readonly CheckpointModel[]): Target {
  const write = (one: CheckpointModel) => concat([headOf(one), one.values]);
  return parserTarget({
    name: "safetensors file",
    share: 70,
    input: input(checkpoints.map(write), (choices) => {
      const one = choices.of(checkpoints);
      if (choices.once(2)) return write({ ...one, header: mutatedTree(inKeyOrder(one.header), choices) });
      return write({ ...one, values: mutatedBytes(one.values, choices) });
    }),
    parse: readSafetensors,
    check: ({ tensors, metadata }) => {
      const again = readSafetensors(concat(writeSafetensors(tensors, metadata)));
      const sums = (list: typeof tensors) =>
        list
          .map(({ name, dtype, shape, values }) =>
            [name, dtype, shape.join(), Buffer.from(values.buffer).toString("hex")].join(),
          )
          .sort()
          .join("\n");
      return sums(again.tensors) === sums(tensors) ? null : "its tensors are others when written again";
    },
  });
}

function journalTarget(journals: readonly Bytes[]): Target {
  return parserTarget({
    name: "journal",
    share: 85,
    input: input(journals, (choices) => mutatedTable(choices.of(journals), choices)),
    parse: (bytes, choices) => {
      const table = new JournalTable("The journal");
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + choices.below(choices.once(2) ? 4 : 100);
        table.add(bytes.subarray(at, end));
        at = end;
      }
      return table.finish();
    },
    check: (rows, bytes) =>
      equalBytes(concat([...journalCsv(rows)]), bytes) ? null : "it is written differently again",
  });
}
