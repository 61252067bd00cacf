/** Bundles of a run that is read in several pieces: as its exporter left them, and damaged beyond the first piece. */
import { CHUNK_BYTES } from "../../src/format/chunks";
import type { Bytes } from "../../src/format/bytes";
import { filesOf } from "./bundles";
import { sealed, type HostileFile, type Parts } from "./hostile-files";
import { largeBundles, type LargeBundle } from "./large-run";
import { rawZip } from "./raw-zip";

/** More than is read of a journal at once. */
const BEYOND = 1 << 20;
const NEWLINE = 10;

export async function largeFiles(): Promise<readonly HostileFile[]> {
  const bundles = await largeBundles();
  return (await Promise.all(bundles.map(ofForm))).flat();
}

async function ofForm({ form, bytes }: LargeBundle): Promise<readonly HostileFile[]> {
  const parts = await filesOf(new Blob([bytes]));
  const names = [...parts.keys()];
  const journal = names.find((name) => name.endsWith("journal.csv"))!;
  const newest = names.findLast((name) => name.includes("/checkpoints/"))!;
  const lineAt = parts.get(journal)!.indexOf(NEWLINE, BEYOND) + 1;
  const nextAt = parts.get(journal)!.indexOf(NEWLINE, lineAt) + 1;
  const middle = parts.get(newest)!.length - CHUNK_BYTES;
  const changed = (name: string, edit: (content: Bytes) => Bytes): Parts =>
    new Map(parts).set(name, edit(parts.get(name)!));
  const zipped = (files: Parts) => rawZip(Array.from(files, ([name, content]) => ({ name, content })));
  const turned = (at: number) => (content: Bytes) => content.with(at, content[at]! ^ 1);
  const damaged: Record<string, HostileFile["make"]> = {
    "one bit of its journal": () => zipped(changed(journal, turned(BEYOND + 7))),
    "one bit of its newest state": () => zipped(changed(newest, turned(middle))),
    "one bit of its newest state, with hashes that fit": () => sealed(changed(newest, turned(middle))),
    "a journal without a line": () =>
      sealed(changed(journal, (all) => joined(all.subarray(0, lineAt), all.subarray(nextAt)))),
    "a journal with a line twice": () =>
      sealed(changed(journal, (all) => joined(all.subarray(0, nextAt), all.subarray(lineAt)))),
    "a journal that ends within a line": () => sealed(changed(journal, (all) => all.slice(0, lineAt + 3))),
    "a journal that ends early": () => sealed(changed(journal, (all) => all.slice(0, lineAt))),
    "a state that ends early": () => sealed(changed(newest, (all) => all.slice(0, middle))),
    "the first half": () => bytes.slice(0, bytes.length >> 1),
  };
  return [
    { name: `large, ${form}: as it was written`, code: null, honest: form, make: () => bytes },
    ...Object.entries(damaged).map(([what, make]): HostileFile => ({
      name: `large, ${form}: ${what}`,
      code: "corrupt",
      make,
    })),
  ];
}

function joined(first: Bytes, second: Bytes): Bytes {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
