import fc from "fast-check";
import { beforeAll, expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { sha256, toHex, type Bytes } from "../../src/format/bytes";
import { encodeJson } from "../../src/format/json";
import { encodeManifest, MAX_MANIFEST_BYTES, parseManifest, type Manifest } from "../../src/format/manifest";
import { failure, manifestFor, smallRecord, smallState, withBitFlipped, words } from "./support";

/** A chunk as it may be referred to. */
const SOURCE = { hash: "0".repeat(64), codec: 1, pack: "p-1", offset: 4096, length: 128 };

let manifest: Manifest;
let bytes: Bytes;

beforeAll(async () => {
  const data = new Uint8Array(10);
  manifest = await manifestFor(smallState(), smallRecord(toHex(await sha256(data)), data.length));
  bytes = encodeManifest(manifest);
});

/** A manifest with the value at `path` replaced; `undefined` takes the field out. */
function changed(path: readonly (string | number)[], value: unknown): Uint8Array {
  const copy: unknown = JSON.parse(new TextDecoder().decode(bytes));
  let at: unknown = copy;
  for (const key of path.slice(0, -1)) at = Reflect.get(Object(at), key);
  Object.defineProperty(at, path.at(-1)!, {
    value,
    enumerable: value !== undefined,
    configurable: true,
    writable: true,
  });
  return encodeJson(copy);
}

suite("a manifest", () => {
  test("goes there and back, and its bytes are one of a kind", () => {
    expect(parseManifest(bytes)).toEqual(manifest);
    expect(encodeManifest(parseManifest(bytes))).toEqual(bytes);
  });

  test.each<[string, readonly (string | number)[], unknown]>([
    ["manifest.step", ["step"], -1],
    ["manifest.step", ["step"], 1.5],
    ["manifest.step", ["step"], "3"],
    ["manifest.samples", ["samples"], 2 ** 53],
    ["manifest.record.seed", ["record", "seed"], undefined],
    ["manifest.record.id", ["record", "id"], "../r"],
    ["manifest.record.task", ["record", "task"], "t".repeat(5000)],
    ["manifest.digest", ["digest"], "A".repeat(64)],
    ["manifest.counters.t", ["counters", "t"], "x"],
    ["manifest.counters", ["counters"], []],
    ["manifest.reason", ["reason"], "because"],
    ["manifest.configs", ["configs"], []],
    ["manifest.configs[0].optimizer.kind", ["configs", 0, "optimizer", "kind"], "lion"],
    ["manifest.configs[0].optimizer.schedule.kind", ["configs", 0, "optimizer", "schedule", "kind"], null],
    ["manifest.configs[0].config.width", ["configs", 0, "config", "width"], []],
    ["manifest.record.policy.save.kind", ["record", "policy", "save", "kind"], "constructor"],
    ["manifest.record.policy.draw", ["record", "policy", "draw"], 1],
    ["manifest.metrics.loss", ["metrics", "loss"], null],
    ["manifest.environment.backend", ["environment", "backend"], "cuda"],
    ["manifest.environment.math.task/text", ["environment", "math", "task/text"], "1"],
    ["manifest.record.data.hash", ["record", "data", "hash"], "00"],
    ["manifest.record.parent", ["record", "parent"], 3],
    ["manifest.previous", ["previous"], ""],
    ["manifest.shard.index", ["shard", "index"], 1],
    ["manifest.shard.count", ["shard", "count"], 0],
    ["manifest.times.held", ["times", "held"], null],
    ["manifest.tensors", ["tensors"], {}],
    ["manifest.tensors[0].dtype", ["tensors", 0, "dtype"], "float64"],
    ["manifest.tensors[0].shape", ["tensors", 0, "shape"], [1, 1, 1, 1, 1, 1, 1, 2, 2]],
    ["manifest.tensors[0].shape", ["tensors", 0, "shape"], [2 ** 40, 2 ** 40]],
    ["manifest.tensors", ["tensors", 1, "name"], "empty"],
    ["manifest.tensors", ["tensors", 0, "name"], "z"],
    ["manifest.chunks", ["tensors", 1, "shape"], [2 ** 40]],
    ["manifest.chunks", ["chunks"], []],
    ["manifest.chunks[0].hash", ["chunks", 0, "hash"], "00"],
    ["manifest.chunks[0].codec", ["chunks", 0, "codec"], 256],
    ["manifest.chunks[0].pack", ["chunks", 0, "pack"], "../p"],
    ["manifest.chunks[0].offset", ["chunks", 0, "offset"], -8],
    ["manifest.chunks[0].base", ["chunks", 0, "codec"], 2],
    ["manifest.chunks[0].base", ["chunks", 0, "base"], SOURCE],
    ["manifest.chunks[0]", ["chunks", 0], { ...SOURCE, codec: 2, base: { ...SOURCE, codec: 2 } }],
    ["manifest.chain", ["chain"], -1],
    ["manifest has a field", ["extra"], 1],
    ["manifest.tensors[0] has a field", ["tensors", 0, "extra"], 1],
    ["manifest has a field", ["__proto__"], { step: 1 }],
    ["manifest.counters has a name", ["counters", "__proto__"], 1],
    ["manifest.metrics has a name", ["metrics", "constructor"], 1],
  ])("with a wrong %s is corrupt and names it", (path, keys, value) => {
    const error = failure(() => parseManifest(changed(keys, value)));
    expect(error.code).toBe("corrupt");
    expect(error.message).toContain(path);
  });

  test("with stretches of config out of order is corrupt", () => {
    const [first] = manifest.configs;
    const twice = encodeManifest({ ...manifest, configs: [first!, first!] });
    expect(failure(() => parseManifest(twice)).message).toContain("manifest.configs[1].from");
  });

  test.each<[string, (text: string) => string]>([
    ["a space", (text) => text.replace(":", ": ")],
    ["another number for the same value", (text) => text.replace('"step":3', '"step":3.0')],
    ["a key twice", (text) => text.replace('"step":3', '"step":2,"step":3')],
    ["an escaped letter", (text) => text.replace('"task":"text"', '"task":"t\\u0065xt"')],
    ["keys in another order", (text) => text.replace('"count":1,"index":0', '"index":0,"count":1')],
  ])("not in its canonical form is corrupt: %s", (_what, change) => {
    const text = new TextDecoder().decode(bytes);
    const other = change(text);
    expect(other).not.toBe(text);
    expect(failure(() => parseManifest(new TextEncoder().encode(other))).code).toBe("corrupt");
  });

  test("of a newer version is unsupported, whatever else is in it", () => {
    expect(failure(() => parseManifest(encodeJson({ version: 2, news: [] }))).code).toBe("unsupported");
    expect(failure(() => parseManifest(encodeJson({ version: 0 }))).code).toBe("corrupt");
  });

  test("with a number that is none cannot be written", () => {
    expect(failure(() => encodeManifest({ ...manifest, metrics: { loss: Number.NaN } })).code).toBe(
      "invalid",
    );
  });

  test("that is too long is corrupt before it is parsed", () => {
    expect(failure(() => parseManifest(new Uint8Array(MAX_MANIFEST_BYTES + 1))).code).toBe("corrupt");
  });

  test("with any value replaced by any other gives a manifest or a typed error", () => {
    const keys = Object.keys(manifest);
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.jsonValue(), (key, value) => {
        onlyTyped(changed([key], value));
      }),
      { numRuns: 1000 },
    );
  });

  test("with bits flipped gives another manifest or a typed error", () => {
    const next = words(9);
    for (let round = 0; round < 3000; round++) onlyTyped(withBitFlipped(bytes, next() % (8 * bytes.length)));
  });
});

function onlyTyped(raw: Uint8Array): void {
  try {
    expect(encodeManifest(parseManifest(raw))).toEqual(raw);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    expect(["corrupt", "unsupported"]).toContain(error.code);
  }
}
