/** Bundles that are damaged or made to do harm, each by name, with what has to become of it. */
import { sha256, toHex, concat, type Bytes } from "../../src/format/bytes";
import type { ErrorCode } from "../../src/errors";
import {
  at,
  changed,
  drop,
  lookUpText,
  parseTree,
  push,
  set,
  treeOf,
  writeTree,
  type JsonEdit,
} from "./json-tree";
import { rawZip, wideExtra, type RawEnd, type RawEntry, type RawFields } from "./raw-zip";

export interface HostileFile {
  /** Its threat, and what is done. */
  readonly name: string;
  /** Null: it is data like any other, and comes in as that. */
  readonly code: ErrorCode | null;
  /** What an exporter wrote, in that form: exported again it is the same bytes. */
  readonly honest?: "whole" | "compact";
  readonly make: () => Bytes | Promise<Bytes>;
}

/** The files of an honest bundle, in order. */
export type Parts = ReadonlyMap<string, Bytes>;

const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
const textOf = (bytes: Bytes) => new TextDecoder().decode(bytes);
const INDEX = "bundle.json";

/** With hashes and lengths in the index that fit what is there. */
export async function sealed(files: Parts, edit: JsonEdit = (same) => same): Promise<Bytes> {
  const list = await Promise.all(
    [...files]
      .filter(([name]) => name !== INDEX)
      .map(async ([name, content]) => ({
        name,
        bytes: content.length,
        sha256: toHex(await sha256(content)),
      })),
  );
  const index = edit(set(["files"], list)(parseTree(textOf(files.get(INDEX)!))));
  const all = new Map(files).set(INDEX, utf8(writeTree(index)));
  return rawZip(Array.from(all, ([name, content]) => ({ name, content })));
}

export function hostileFiles(parts: Parts): readonly HostileFile[] {
  const entries: readonly RawEntry[] = Array.from(parts, ([name, content]) => ({ name, content }));
  const names = [...parts.keys()];
  const checkpoint = names.find((name) => name.endsWith("/2.safetensors"))!;
  const journal = names.find((name) => name.endsWith("journal.csv"))!;
  const metrics = names.find((name) => name.endsWith("metrics.csv"))!;
  const data = names.find((name) => name.startsWith("data/"))!;

  const index = (edit: JsonEdit) => () => sealed(parts, edit);
  const indexText = (edit: (text: string) => string | Bytes) => () => {
    const edited = edit(textOf(parts.get(INDEX)!));
    const content = typeof edited === "string" ? utf8(edited) : edited;
    return rawZip([...entries.slice(0, -1), { name: INDEX, content }]);
  };
  const run = (edit: JsonEdit) =>
    index((root) => changed(root, ["runs", 0], (first) => first && edit(first)));
  const file = (name: string, edit: (bytes: Bytes) => Bytes) => () =>
    sealed(new Map(parts).set(name, edit(parts.get(name)!.slice())));
  const unsealed = (name: string, edit: (bytes: Bytes) => Bytes) => () =>
    rawZip(entries.map((one) => (one.name === name ? { name, content: edit(one.content.slice()) } : one)));
  /** The header of a checkpoint's file, as JSON; its tensors stay. */
  const headText = (edit: (text: string) => string) =>
    file(checkpoint, (bytes) => {
      const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      const json = utf8(edit(textOf(bytes.subarray(8, 8 + length)).trimEnd()));
      const padded = concat([json, utf8(" ".repeat((8 - (json.length % 8)) % 8))]);
      return withLength(
        concat([new Uint8Array(8), padded, bytes.subarray(8 + length)]),
        BigInt(padded.length),
      );
    });
  const head = (edit: JsonEdit) => headText((text) => writeTree(edit(parseTree(text))));
  /** What stands in the metadata beside the tensors. */
  const facts = (edit: JsonEdit) =>
    head((root) => {
      const text = lookUpText(root, "__metadata__", "holdfast") ?? "";
      return set(["__metadata__", "holdfast"], writeTree(edit(parseTree(text))))(root);
    });
  const entry = (place: number, fields: Omit<RawEntry, "name" | "content">, end?: RawEnd) => () =>
    rawZip(
      entries.map((one, where) => (where === place ? { ...one, ...fields } : one)),
      end,
    );
  const both = (fields: RawFields) => entry(2, { both: fields });
  const end = (fields: RawEnd) => () => rawZip(entries, fields);
  const named = (name: string) => both({ name });

  const all: Record<
    string,
    Record<string, (() => Bytes | Promise<Bytes>) | readonly [ErrorCode | null, () => Bytes | Promise<Bytes>]>
  > = {
    "compressed entries": {
      ...each([1, 6, 8, 9, 10, 12, 14, 18, 93, 95, 98, 99], "method", (method) => both({ method })),
      "method in the directory alone": entry(2, { central: { method: 8 } }),
      "method in the local header alone": entry(2, { local: { method: 8 } }),
      ...each([0, 3, 5, 6, 11, 13, 15], "flag", (bit) => both({ flags: 1 << bit })),
      "stored length above its size": both({ stored: 10 ** 6 }),
      "size above its stored length": both({ size: 10 ** 9 }),
    },
    "overlap and holes": {
      "two entries on one content": entry(3, { central: { offset: 0 } }),
      "an entry that begins in another": entry(3, { central: { offset: 50 } }),
      "an entry beyond the end": entry(3, { central: { offset: 2 ** 31 } }),
      "an entry in the directory": entry(3, { central: { offset: 900 } }),
      "a gap before the directory": end({ gap: utf8("hidden") }),
      "bytes before the first entry": end({ before: utf8("MZ hidden program") }),
      "bytes after the end": end({ after: utf8("hidden") }),
      "a comment": end({ comment: "hidden" }),
      "a comment that holds an end": end({ comment: textOf(rawZip([])) }),
      "directory in another order": end({
        order: (count) => Array.from({ length: count }, (_, at) => count - 1 - at),
      }),
      "an entry that the directory lacks": end({
        order: (count) => Array.from({ length: count - 2 }, (_, at) => at + 1),
      }),
      "an archive in an archive": () => rawZip([{ name: INDEX, content: rawZip(entries) }]),
      "a comment of an entry": entry(2, { central: { comment: "hidden" } }),
      "an extra field": both({ extra: concat([utf8("up"), new Uint8Array([2, 0]), utf8("hi")]) }),
      "an extra field in one place": entry(2, { local: { extra: wideExtra(0) } }),
    },
    "names that lead elsewhere": each(
      [
        "../evil",
        "..",
        ".",
        "/etc/passwd",
        "//host/share",
        "C:\\evil",
        "C:evil",
        "a\\..\\b",
        "runs/../evil",
        "runs//evil",
        "runs/",
        "",
        " ",
        ".hidden",
        "a/.hidden",
        "CON ",
        "a\0b",
        "a\nb",
        "\u202egpj.exe",
        "na\u00efve",
        "%2e%2e/evil",
        "__proto__",
        "x".repeat(201),
        "\ufeffREADME.txt",
        "file:///etc/passwd",
      ],
      "entry",
      named,
    ),
    doubles: {
      "an entry twice": () => rawZip([entries[0]!, ...entries]),
      "the index twice": () => rawZip([...entries, entries.at(-1)!]),
      "another index first": () => rawZip([entries.at(-1)!, ...entries]),
      "a key of the index twice": indexText((text) => text.replace('{"files"', '{"version":1,"files"')),
      "a key of a record twice": indexText((text) => text.replace('"seed":7', '"seed":7,"seed":8')),
      "a key twice, once escaped": indexText((text) => text.replace('"seed":7', '"seed":7,"s\\u0065ed":8')),
      "a run twice": index(push(["runs"], at("runs", 0))),
      "a checkpoint twice": run(push(["checkpoints"], at("checkpoints", -1))),
      "an event twice": run(push(["events"], at("events", -1))),
      "a tensor twice": headText((text) =>
        text.replace(
          '{"__metadata__"',
          '{"param/odd":{"data_offsets":[0,0],"dtype":"F32","shape":[0]},"__metadata__"',
        ),
      ),
      "metadata twice": headText((text) =>
        text.replace('{"__metadata__"', '{"__metadata__":{},"__metadata__"'),
      ),
      "a file that no run has": () => sealed(new Map([["evil.js", utf8("alert(1)")], ...parts])),
    },
    "numbers too large": {
      ...each([2 ** 31, 2 ** 32 - 2], "size", (size) => both({ size, stored: size })),
      ...each([2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER, 2 ** 53, 2 ** 63], "wide size", (size) =>
        both({ size: 2 ** 32 - 1, stored: 2 ** 32 - 1, extra: wideExtra(size, size) }),
      ),
      "a wide size in no extra field": both({ size: 2 ** 32 - 1, stored: 2 ** 32 - 1 }),
      ...each([1, 65_534, 65_535], "count of the end", (count) => end({ count, countHere: count })),
      ...each([0, 1, 2 ** 32 - 1], "length of the directory", (length) => end({ length })),
      ...each([0, 1, 2 ** 32 - 2, 2 ** 32 - 1], "place of the directory", (offset) => end({ offset })),
      "a directory at the start of a gigabyte": () =>
        concat([new Uint8Array(2 ** 28), rawZip([], { offset: 0, length: 0, count: 0, countHere: 0 })]),
      "another disk": end({ disk: 1 }),
      ...each(
        [0n, 1n, 2n ** 24n + 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n],
        "length of a header",
        (length) => file(checkpoint, (bytes) => withLength(bytes, length)),
      ),
      ...each([-1, 1.5, 2 ** 53, 1e308], "offset of a tensor", (value) =>
        head(set(["param/weights", "data_offsets", 1], value)),
      ),
      ...each([-1, 1.5, 2 ** 53, "4"], "step of a checkpoint", (value) =>
        run(set(["checkpoints", 1, "step"], value)),
      ),
      ...each([-1, 2 ** 53, null], "length of a file", (value) => index(set(["files", 1, "bytes"], value))),
    },
    shapes: each(
      [
        [2 ** 32, 2 ** 32],
        [2 ** 53],
        [2 ** 26, 2 ** 26],
        [-1],
        [-300, -1],
        [1.5],
        [301],
        [299],
        [0],
        [0, 2 ** 52],
        [1, 1, 1, 1, 1, 1, 1, 1, 300],
        ["300"],
        [null],
        "300",
        null,
      ],
      "shape",
      (shape) => head(set(["param/weights", "shape"], shape)),
    ),
    tensors: {
      ...each(["F64", "F16", "BF16", "I64", "U16", "C64"], "dtype", (dtype) => [
        "unsupported",
        head(set(["param/weights", "dtype"], dtype)),
      ]),
      ...each(["f32", "", "__proto__", 7, null], "dtype", (dtype) =>
        head(set(["param/weights", "dtype"], dtype)),
      ),
      "ten thousand and one": head((root) => {
        const empty = treeOf({ dtype: "U8", shape: [0], data_offsets: [0, 0] });
        const more = Array.from({ length: 10_001 }, (_, place) => [`t${place}`, empty] as const);
        return root.kind === "object" ? { kind: "object", entries: [...root.entries, ...more] } : root;
      }),
      "a hole between two": head(set(["param/weights", "data_offsets", 0], 4)),
      "one left out": head(drop("param/weights")),
      "none at all": head((root) => set(["__metadata__"], () => at("__metadata__")(root))(treeOf({}))),
      "names exchanged": headText((text) => text.replace("param/weights", "param/WEIGHTS")),
      "a field more": head(set(["param/weights", "code"], "import os")),
      "no metadata": head(drop("__metadata__")),
      "metadata that is no text": head(set(["__metadata__", "holdfast"], { step: 2 })),
      "bytes behind the last": file(checkpoint, (bytes) => concat([bytes, new Uint8Array(8)])),
      "a byte too few": file(checkpoint, (bytes) => bytes.slice(0, -1)),
      "a header alone": file(checkpoint, (bytes) => bytes.slice(0, 64)),
      nothing: file(checkpoint, () => new Uint8Array(0)),
      "a truth value that is none": file(checkpoint, (bytes) => withByte(bytes, bytes.length - 1, 2)),
      "a pickle": file(checkpoint, () => utf8("\u0080\u0002cos\nsystem\n(S'true'\ntR.")),
    },
    JSON: {
      ...each(
        [
          "",
          "{}",
          "[]",
          "null",
          "7",
          '"x"',
          "{",
          '{"a":}',
          "{'a':1}",
          "{a:1}",
          "[1,]",
          "// no\n{}",
          "NaN",
          "\u0000",
          "\ufeff{}",
        ],
        "index",
        (text) => indexText(() => text),
      ),
      "not UTF-8": indexText(() => new Uint8Array([0x22, 0xff, 0xfe, 0x22])),
      "half a surrogate pair": run(set(["record", "name"], "\ud800")),
      "deep as a well": indexText(() => "[".repeat(100_000)),
      "deep, and closed": indexText(() => `${'{"a":'.repeat(20)}1${"}".repeat(20)}`),
      "an infinite number": indexText((text) => text.replace('"seed":7', '"seed":1e999')),
      "a NaN": indexText((text) => text.replace('"seed":7', '"seed":NaN')),
      "not sorted, and with spaces": [null, indexText((text) => JSON.stringify(JSON.parse(text), null, 2))],
      ...each(["__proto__", "constructor", "prototype"], "a setting by the name of", (name) =>
        indexText((text) => text.replace('"config":{', `"config":{"${name}":1,`)),
      ),
      ...each(["__proto__", "constructor", "prototype"], "a counter by the name of", (name) =>
        headText((text) => text.replace('\\"counters\\":{', `\\"counters\\":{\\"${name}\\":1,`)),
      ),
      "a field more in the index": index(set(["script"], "https://evil.example/a.js")),
      "a field more in the record": run(set(["record", "module"], "data:text/javascript,alert(1)")),
      "a field less in the record": run(drop("record", "optimizer")),
      "an event of no kind": run(push(["events"], { seq: 9, step: 2, time: 1, kind: "execute", code: "1" })),
      "an event after which there is no number": run(
        push(["events"], { seq: Number.MAX_SAFE_INTEGER, step: 2, time: 1, kind: "started" }),
      ),
      "a run of the same data, which is longer": index((root) => {
        const fork = changed(at("runs", 0)(root), ["record"], (record) =>
          record === undefined ? record : set(["id"], "r2")(set(["data", "bytes"], 99)(record)),
        );
        return push(["runs"], () => fork)(root);
      }),
      "a kind that every object has": run(push(["events"], { seq: 9, step: 2, time: 1, kind: "toString" })),
      "a time beyond all calendars": run(set(["record", "created"], 1e300)),
      "a task that is no text": run(set(["record", "task"], { toString: "spirals" })),
      "an id with a path": run(set(["record", "id"], "../r1")),
      "an id of the prototype": run(set(["record", "id"], "__proto__")),
      "an id that is too long": run(set(["record", "id"], "r".repeat(25))),
      "a name that is too long": run(set(["record", "name"], "x".repeat(513))),
      "a note that is too long": run(set(["about", "note"], "x".repeat(4001))),
      "a parent that is itself": run((root) =>
        set(
          ["record", "firstStep"],
          2,
        )(set(["record", "parent"], { run: lookUpText(root, "record", "id") ?? "", step: 2 })(root)),
      ),
      "a first step without a parent": run(set(["record", "firstStep"], 2)),
      "marks out of order": run(
        set(
          ["about", "marks"],
          [3, 3].map((step) => ({ step, pinned: true, tags: [], note: "" })),
        ),
      ),
      "a mark with nothing on it": run(
        push(["about", "marks"], { step: 3, pinned: false, tags: [], note: "" }),
      ),
      "a parent with a path": run(set(["record", "parent"], { run: "..", step: 1 })),
      "quotes without end": indexText(() => `{"a":"${'\\"'.repeat(500_000)}`),
      "a million keys": indexText(
        () => `{${Array.from({ length: 1_000_000 }, (_, at) => `"${at}":1`).join()}}`,
      ),
    },
    "not what it says": {
      ...each(names, "one bit of", (name) =>
        unsealed(name, (bytes) =>
          bytes.length === 0 ? utf8("x") : withByte(bytes, bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1),
        ),
      ),
      "a hash of another file": index(set(["files", 1, "sha256"], at("files", 0, "sha256"))),
      "a digest of another state": run(set(["checkpoints", 1, "digest"], at("checkpoints", 0, "digest"))),
      "a state under another's digest": file(checkpoint, (bytes) => withByte(bytes, bytes.length - 300, 7)),
      "two checkpoints exchanged": () => {
        const other = names.find((name) => name.endsWith("/4.safetensors"))!;
        return sealed(new Map(parts).set(checkpoint, parts.get(other)!).set(other, parts.get(checkpoint)!));
      },
      "another run's checkpoint": facts(set(["record", "id"], "r2")),
      "another seed": facts(set(["record", "seed"], 8)),
      "another parent": facts(set(["record", "parent"], { run: "r9", step: 2 })),
      "another first step": facts(set(["record", "firstStep"], 1)),
      "other settings": facts(set(["record", "config", "batchSize"], 9)),
      "another step": facts(set(["step"], 3)),
      "other data": file(data, () => utf8("not to be")),
      "data of another length": run(set(["record", "data", "bytes"], 3)),
      "a journal that ends early": file(journal, (bytes) =>
        utf8(`${textOf(bytes).split("\n").slice(0, 3).join("\n")}\n`),
      ),
      "a journal that begins late": file(journal, (bytes) => utf8(textOf(bytes).replace("\n1,", "\n2,"))),
      "a journal with a formula": file(journal, (bytes) =>
        utf8(textOf(bytes).replace("\n1,", "\n1,=cmd|' /C calc'!A0,")),
      ),
      "a journal with carriage returns": file(journal, (bytes) =>
        utf8(textOf(bytes).replaceAll("\n", "\r\n")),
      ),
      "a journal of nothing": file(journal, () => new Uint8Array(0)),
      "metrics that no event tells": file(metrics, (bytes) => concat([bytes, utf8("7,loss,1\n")])),
      "metrics with a formula": file(metrics, (bytes) => concat([bytes, utf8("7,=1+1,1\n")])),
      "checkpoints before the run begins": run(set(["record", "firstStep"], 5)),
      "checkpoints out of order": run((root) =>
        changed(root, ["checkpoints"], (list) =>
          list?.kind === "list" ? { kind: "list", items: list.items.toReversed() } : list,
        ),
      ),
      "no checkpoint": run(set(["checkpoints"], [])),
      "no run": index(set(["runs"], [])),
      "no index": () => rawZip(entries.slice(0, -1)),
      "nothing but an index": () => rawZip(entries.slice(-1)),
      "an empty archive": () => rawZip([]),
      "an empty file": () => new Uint8Array(0),
      "a text": () => utf8("This is no archive, though it is longer than the end of one."),
      ...each([1, 21, 22, 23, 500], "cut by", (count) => () => rawZip(entries).slice(0, -count)),
      "the last half": () => rawZip(entries).slice(rawZip(entries).length >> 1),
      "a program as attributes": entry(2, { central: { attributes: 0o120777 * 2 ** 16 } }),
      "a time": both({ time: 1 }),
    },
    "other versions": {
      ...each([2, 99, 1e9], "version", (version) => ["unsupported", index(set(["version"], version))]),
      ...each([0, -1, "1", null], "version", (version) => index(set(["version"], version))),
      "a feature that is required": ["unsupported", index(set(["requires"], ["quantum"]))],
      "a feature that its runs do not need": index(set(["requires"], ["started-from-file"])),
      "data that is not left out": index(set(["requires"], ["without-data"])),
      "whole tensors as chunks": index(set(["requires"], ["compact"])),
      "a feature that is no text": index(set(["requires"], [7])),
      "another format": index(set(["format"], "holdfast-store")),
      "a checkpoint of version 2": ["unsupported", facts(set(["version"], 2))],
      ...each([10, 45, 63, 255], "version of ZIP", (version) => both({ version })),
    },
    "too many": {
      "65,000 empty files": () =>
        rawZip(Array.from({ length: 65_000 }, (_, at) => ({ name: `f${at}`, content: new Uint8Array(0) }))),
      "a thousand and one runs": index((root) =>
        changed(root, ["runs"], () => ({
          kind: "list",
          items: Array.from({ length: 1001 }, () => at("runs", 0)(root)),
        })),
      ),
      "an event that no log takes": run(
        push(["events"], {
          seq: 9,
          step: 2,
          time: 1,
          kind: "trouble",
          code: "x",
          message: "\u0001".repeat(1 << 20),
        }),
      ),
      "a record that no log takes": run(
        set(
          ["record", "config"],
          Object.fromEntries(Array.from({ length: 200 }, (_, place) => [`k${place}`, "\u0001".repeat(4096)])),
        ),
      ),
      "a thousand tags": run(
        set(
          ["about", "tags"],
          Array.from({ length: 1000 }, (_, place) => `t${place}`),
        ),
      ),
      "a journal of sixty million line ends": file(journal, (bytes) =>
        concat([bytes, new Uint8Array(60_000_000).fill(10)]),
      ),
      "a journal of a million lines": file(journal, (bytes) =>
        concat([bytes, utf8("8,1,1,1\n".repeat(1_000_000))]),
      ),
      "a file that the archive lacks": index(
        push(["files"], { name: "more", bytes: 0, sha256: "0".repeat(64) }),
      ),
    },
    "words that are only words": each(
      [
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(1)</script>",
        "javascript:alert(1)",
        "${alert(1)}",
        "{{7*7}}",
        "=cmd|' /C calc'!A0",
        "\u202egpj.exe",
        "Holdf\u0430st",
        "\u0007\u001b[31m",
        "'; DROP TABLE runs; --",
        "../../evil",
        "%00",
      ],
      "name",
      (name) => [null, run(set(["record", "name"], name))],
    ),
  };
  return Object.entries(all).flatMap(([threat, cases]) =>
    Object.entries(cases).map(([what, made]): HostileFile => {
      const [code, make] = typeof made === "function" ? (["corrupt", made] as const) : made;
      return { name: `${threat}: ${what}`, code, make };
    }),
  );
}

function each<T, R>(values: readonly T[], what: string, make: (value: T) => R): Record<string, R> {
  return Object.fromEntries(
    values.map((value) => [
      `${what} ${typeof value === "bigint" ? value : JSON.stringify(value).slice(0, 60)}`,
      make(value),
    ]),
  );
}

function withByte(bytes: Bytes, at: number, value: number): Bytes {
  bytes[at] = value;
  return bytes;
}

/** Another length of the header of a safetensors file. */
function withLength(bytes: Bytes, length: bigint): Bytes {
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(0, length, true);
  return bytes;
}
