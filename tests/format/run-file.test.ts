import { beforeAll, expect, suite, test } from "vitest";
import { concat, sha256, toHex, type Bytes } from "../../src/format/bytes";
import { digestOf } from "../../src/format/digest";
import type { HoldfastError } from "../../src/errors";
import type { RunRecord } from "../../src/format/run";
import { readRunFile, writeRunFile, type RunFile } from "../../src/format/run-file";
import type { State } from "../../src/format/tensors";
import { manifestFor, rejection, smallRecord, smallState, withBitFlipped, words } from "./support";

const data = new TextEncoder().encode("abc");
let record: RunRecord;
let file: RunFile;
let bytes: Bytes;

async function checkpointAt(step: number, of: RunRecord = record) {
  const state = smallState(step);
  return { manifest: await manifestFor(state, of), state };
}

const written = async (run: RunFile): Promise<Bytes> => concat(await writeRunFile(run));

beforeAll(async () => {
  record = smallRecord(toHex(await sha256(data)), data.length);
  file = {
    about: { marks: [{ step: 2, pinned: true, tags: ["a"], note: "b" }], tags: ["c"], note: "d" },
    record,
    events: [
      { seq: 1, step: 0, time: 1, kind: "started" },
      { seq: 2, step: 3, time: 2, kind: "changed", changes: { learningRate: 0.01 } },
    ],
    journal: {
      from: 1,
      loss: Float32Array.of(3, 2, 1, 0.5),
      rate: new Float32Array(4),
      ms: new Float32Array(4),
    },
    checkpoints: [await checkpointAt(0), await checkpointAt(3)],
    data,
  };
  bytes = await written(file);
});

/** What differs in no bit has equal digests; `toEqual` takes -0 and 0 for different, but all NaNs for one. */
async function digests(run: RunFile): Promise<readonly string[]> {
  return Promise.all(run.checkpoints.map(({ state }) => digestOf(state)));
}

suite("a run file", () => {
  test("gives the run back, bit for bit", async () => {
    const back = await readRunFile(bytes);
    expect({ ...back, checkpoints: null }).toEqual({ ...file, checkpoints: null });
    expect(back.checkpoints.map(({ manifest }) => manifest)).toEqual(
      file.checkpoints.map(({ manifest }) => manifest),
    );
    expect(await digests(back)).toEqual(await digests(file));
    expect(await written(back)).toEqual(bytes);
  });

  test("says in plain text what it is, and that its format will be replaced", () => {
    const head = new TextDecoder().decode(bytes.subarray(0, 512));
    expect(head).toMatch(/^HOLDFAST RUN FILE 0001\n/);
    expect(head).toContain("provisional");
    expect(head).toContain(".holdfast");
    expect(head.length).toBe(512);
  });

  test("works for a run before its first step, and for a fork", async () => {
    const fresh = { ...file, journal: null, events: [], checkpoints: [await checkpointAt(0)] };
    expect((await readRunFile(await written(fresh))).journal).toBeNull();
    const forked: RunRecord = { ...record, parent: { run: "r1", step: 2 }, firstStep: 2 };
    const journal = {
      from: 3,
      loss: new Float32Array(2),
      rate: new Float32Array(2),
      ms: new Float32Array(2),
    };
    const fork = { ...file, record: forked, journal, checkpoints: [await checkpointAt(2, forked)] };
    expect((await readRunFile(await written(fork))).record).toEqual(forked);
  });

  test("cut at any length is corrupt", async () => {
    for (let length = 0; length < bytes.length; length++) {
      expect((await rejection(readRunFile(bytes.subarray(0, length)))).code).toBe("corrupt");
    }
  });

  test("with a bit flipped is corrupt, wherever the bit is", async () => {
    const next = words(31);
    for (let round = 0; round < 4000; round++) {
      const bit = next() % (8 * bytes.length);
      const error = await rejection(readRunFile(withBitFlipped(bytes, bit)));
      // A flip in the four digits of the version may make a newer one of it.
      const inVersion = bit >> 3 >= 18 && bit >> 3 < 22;
      expect(inVersion ? "corrupt" : error.code).toBe("corrupt");
    }
  });

  test("with bytes behind its end is corrupt", async () => {
    expect((await rejection(readRunFile(concat([bytes, new Uint8Array(8)])))).code).toBe("corrupt");
  });

  test("of a newer version is unsupported", async () => {
    const newer = bytes.slice();
    newer.set(new TextEncoder().encode("0002"), 18);
    expect((await rejection(readRunFile(newer))).code).toBe("unsupported");
  });

  test("with garbage in it is a typed error", async () => {
    const next = words(77);
    for (let round = 0; round < 200; round++) {
      const garbage = Uint8Array.from({ length: next() % 2000 }, () => next());
      const tail = concat([bytes.subarray(0, 512), garbage]);
      for (const each of [garbage, tail]) expect((await rejection(readRunFile(each))).code).toBe("corrupt");
    }
  });
});

suite("a run file whose hashes are right is still refused", () => {
  const name = (error: HoldfastError) => [error.code, /section "(\w+)"/.exec(error.message)?.[1]];

  test("with data that is not the record's", async () => {
    const other = { ...file, data: Uint8Array.of(1, 2, 3) };
    expect(name(await rejection(readRunFile(await written(other))))).toEqual(["corrupt", "data"]);
  });

  test("with a state that has not the digest of its manifest", async () => {
    const [first, second] = file.checkpoints;
    const swapped = [first!, { manifest: second!.manifest, state: first!.state }];
    expect(name(await rejection(readRunFile(await written({ ...file, checkpoints: swapped }))))).toEqual([
      "corrupt",
      "tensor",
    ]);
  });

  test("with a checkpoint of another run, another seed, or another task", async () => {
    for (const change of [{ id: "r2" }, { seed: 1 }, { task: "spirals" }]) {
      const foreign = [await checkpointAt(3, { ...record, ...change })];
      expect(name(await rejection(readRunFile(await written({ ...file, checkpoints: foreign }))))).toEqual([
        "corrupt",
        "manifest",
      ]);
    }
  });

  test("with checkpoints out of order, ahead of the journal, or none", async () => {
    const [first, second] = file.checkpoints;
    for (const checkpoints of [[second!, first!], [first!, first!], [await checkpointAt(5)], []]) {
      expect(name(await rejection(readRunFile(await written({ ...file, checkpoints }))))).toEqual([
        "corrupt",
        "manifest",
      ]);
    }
  });

  test("with a journal that does not begin with the first step", async () => {
    const late = { ...file, journal: { ...file.journal!, from: 2 } };
    expect(name(await rejection(readRunFile(await written(late))))).toEqual(["corrupt", "journal"]);
  });

  test("with a record that breaks its schema, which cannot even be written", async () => {
    const wrong = { ...file, record: { ...record, seed: -1 } };
    expect((await rejection(writeRunFile(wrong))).message).toContain("run.seed");
    const [first, ...rest] = sectionsOf(bytes);
    const text = new TextDecoder().decode(first!.subarray(48)).replace('"seed":0', '"seed":x');
    const forged = first!.slice();
    forged.set(new TextEncoder().encode(text), 48);
    const length = Number(new DataView(forged.buffer).getBigUint64(8, true));
    forged.set(await sha256(forged.slice(48, 48 + length)), 16);
    const error = await rejection(readRunFile(concat([bytes.subarray(0, 512), forged, ...rest])));
    expect(name(error)).toEqual(["corrupt", "record"]);
  });

  test("with a section taken out, though every other hash is right", async () => {
    const sections = sectionsOf(bytes);
    for (let index = 0; index < sections.length; index++) {
      const rest = concat([bytes.subarray(0, 512), ...sections.filter((_, at) => at !== index)]);
      expect((await rejection(readRunFile(rest))).code).toBe("corrupt");
    }
  });

  test("with a section of the same kind from another file", async () => {
    const other: State = { ...smallState(3), scalars: { ...smallState(3).scalars, samples: 1 } };
    const [first] = file.checkpoints;
    const checkpoints = [first!, { manifest: await manifestFor(other, record), state: other }];
    const theirs = sectionsOf(await written({ ...file, checkpoints }));
    const ours = sectionsOf(bytes);
    const at = ours.findLastIndex((section) => String.fromCharCode(...section.subarray(0, 8)) === "manifest");
    const spliced = concat([bytes.subarray(0, 512), ...ours.with(at, theirs[at]!)]);
    expect((await rejection(readRunFile(spliced))).code).toBe("corrupt");
  });
});

test("a manifest that lacks a tensor of its table cannot be written", async () => {
  const [first] = file.checkpoints;
  const without = { manifest: first!.manifest, state: { ...first!.state, tensors: [] } };
  expect((await rejection(writeRunFile({ ...file, checkpoints: [without] }))).code).toBe("invalid");
});

/** The sections of a file that is whole, padding included. */
function sectionsOf(whole: Bytes): Bytes[] {
  const sections: Bytes[] = [];
  for (let at = 512; at < whole.length;) {
    const length = Number(new DataView(whole.buffer).getBigUint64(at + 8, true));
    const end = at + 48 + Math.ceil(length / 8) * 8;
    sections.push(whole.slice(at, end));
    at = end;
  }
  return sections;
}
