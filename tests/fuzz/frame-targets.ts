/** What recovery reads: manifests, frames of logs and states, packs as a whole. */
import { equalBytes, type Bytes } from "../../src/format/bytes";
import { contentOf, encodeFrame, openFrame, type FrameType } from "../../src/format/frame";
import { encodeJournal, parseJournal } from "../../src/format/journal";
import {
  encodeLogged,
  parseDataset,
  parseEdit,
  parseLoggedEvent,
  parseLoggedRecord,
} from "../../src/format/log";
import { encodeManifest, parseManifest } from "../../src/format/manifest";
import { PACK_HEADER_BYTES } from "../../src/format/pack-header";
import { scanFrames } from "../../src/format/scan";
import type { Choices } from "../simulation/random";
import { inKeyOrder, parseTree, writeTree } from "../support/json-tree";
import type { SimulatedDisk } from "../support/simulated-disk";
import { damagedBytes, mutatedBytes } from "./mutate-bytes";
import { mutatedTree } from "./mutate-json";
import { mutatedFrame, mutatedPack } from "./store-target";
import { parserTarget, type Target } from "./target";

interface Content {
  readonly type: FrameType;
  readonly raw: Bytes;
  readonly frame: Bytes;
}

/** Reads content as recovery does, and writes it again; null for types whose content is any bytes. */
const READERS: Readonly<Record<FrameType, ((raw: Bytes) => Bytes) | null>> = {
  chunk: null,
  data: null,
  commit: (raw) => encodeManifest(parseManifest(raw)),
  run: (raw) => encodeLogged(parseLoggedRecord(raw)),
  import: (raw) => encodeLogged(parseLoggedRecord(raw)),
  event: (raw) => encodeLogged(parseLoggedEvent(raw)),
  edit: (raw) => encodeLogged(parseEdit(raw)),
  dataset: (raw) => encodeLogged(parseDataset(raw)),
  journal: (raw) => encodeJournal(parseJournal(raw)),
};

export async function frameTargets(disk: SimulatedDisk): Promise<readonly Target[]> {
  const packs = [...disk.files.values()].map(({ bytes }) => bytes).filter(({ length }) => length > 0);
  const contents: Content[] = [];
  for (const pack of packs) {
    for (const { offset, length, header } of scanFrames(pack, PACK_HEADER_BYTES).frames) {
      const frame = pack.subarray(offset, offset + length);
      if (header.codec !== 2)
        contents.push({ type: header.type, raw: await contentOf(openFrame(frame)), frame });
    }
  }
  const read = contents.filter(({ type }) => READERS[type] !== null);
  const commits = read.filter(({ type }) => type === "commit");
  const logged = read.filter(({ type }) => type !== "commit");
  return [
    contentTarget("manifest", 110, commits),
    contentTarget("log", 100, logged),
    frameTarget(contents),
    packTarget(packs),
  ];
}

/** What stands in frames. What is read is all there is: it is written again to bytes that read the same. */
function contentTarget(name: string, share: number, contents: readonly Content[]): Target {
  return {
    name,
    share,
    examine: (choices) => {
      const { type, raw } = choices.of(contents);
      const reader = READERS[type] ?? ((bytes: Bytes) => bytes);
      return parserTarget({
        name,
        share,
        input: () =>
          choices.once(5) || type === "journal" ? mutatedBytes(raw, choices) : mutatedJson(raw, choices),
        parse: reader,
        check: (written, bytes) => {
          if (type === "commit" && !equalBytes(written, bytes)) return "it is written differently again";
          return equalBytes(reader(written), written) ? null : "it reads differently again";
        },
      }).examine(choices);
    },
  };
}

function mutatedJson(raw: Bytes, choices: Choices): Bytes {
  const tree = mutatedTree(parseTree(new TextDecoder().decode(raw)), choices);
  return new TextEncoder().encode(writeTree(choices.once(8) ? tree : inKeyOrder(tree)));
}

function frameTarget(contents: readonly Content[]): Target {
  return parserTarget({
    name: "frame",
    share: 80,
    input: async (choices) => {
      const { frame } = choices.of(contents);
      if (choices.once(3)) return damagedBytes(frame, choices);
      return mutatedFrame(frame, choices);
    },
    parse: async (bytes) => {
      const frame = openFrame(bytes);
      const reader = READERS[frame.header.type];
      const raw = await contentOf(frame);
      if (reader !== null) reader(raw);
      return frame;
    },
    check: ({ header, stored }, bytes) =>
      equalBytes(encodeFrame(header, stored), bytes) ? null : "it is framed differently again",
  });
}

function packTarget(packs: readonly Bytes[]): Target {
  return parserTarget({
    name: "pack",
    share: 32,
    input: (choices) =>
      choices.once(2) ? mutatedPack(choices.of(packs), choices) : mutatedBytes(choices.of(packs), choices),
    parse: (bytes) => scanFrames(bytes, PACK_HEADER_BYTES),
    check: ({ frames, damaged }, bytes) => {
      const stretches = [...frames, ...damaged].sort((a, b) => a.offset - b.offset);
      let end = PACK_HEADER_BYTES;
      for (const { offset, length } of stretches) {
        if (offset !== end || length <= 0) return `byte ${end} is in no stretch, or in two`;
        end = offset + length;
      }
      return bytes.subarray(end).every((byte) => byte === 0) ? null : "the end is in no stretch";
    },
  });
}
