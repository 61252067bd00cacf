/** Packs the same chunks with our codec and with others, in turn, and times both ways. */
import { expose } from "comlink";
import { deflateSync, inflateSync } from "fflate";
import { Blosc } from "numcodecs";
import { equalBytes, type Bytes } from "../../src/format/bytes";
import { ChunkEncoder, decodeChunk } from "../../src/format/codec";
import { thePlanes } from "../../src/format/planes";
import { installErrorTransfer } from "../../src/worker/wire-errors";
import { compress as zstd, decompress as unzstd, readyZstd } from "../../src/format/zstd";

export interface CodecResult {
  /** Stored bytes over raw bytes of each later state. */
  readonly sizes: readonly number[];
  /** MB/s over all later states, the median of the rounds. */
  readonly encode: number;
  readonly decode: number;
}

export interface CodecApi {
  /** `states`: chunks of the reference first, then those of the later states. */
  measure(
    states: readonly (readonly Bytes[])[],
    rounds: number,
  ): Promise<{
    readonly stateBytes: number;
    readonly codecs: Readonly<Record<string, CodecResult>>;
    readonly floors: readonly number[];
  }>;
}

/** A codec under test: chunk by chunk, each with the same chunk of the reference state. */
interface Codec {
  /** `into`: memory that is kept from round to round, for what it makes. */
  encode(raw: Bytes, reference: Bytes, into: Bytes): Promise<Packed> | Packed;
  /** Likewise for what it gives back, as long as that is. */
  decode(packed: Packed, reference: Bytes, into: Bytes): Promise<Bytes> | Bytes;
}

interface Packed {
  readonly codec?: number;
  readonly bytes: Bytes;
}

installErrorTransfer();

const MB = 1e6;
/** More than any codec here adds to a chunk that it cannot make smaller. */
const SLACK = 64 * 1024;
const encoder = new ChunkEncoder();
/** Shuffles bytes by itself. */
const blosc = Blosc.fromConfig({ id: "blosc", cname: "zstd", clevel: 5 });

const CODECS: Readonly<Record<string, Codec>> = {
  holdfast: {
    encode: (raw, reference, into) => {
      const { codec, bytes } = encoder.encode(raw, "float32", reference);
      into.set(bytes);
      return { codec, bytes: into.subarray(0, bytes.length) };
    },
    decode: ({ codec = 0, bytes }, reference, into) => {
      decodeChunk(codec, bytes, into, reference);
      return into;
    },
  },
  zstd: {
    encode: (raw) => ({ bytes: zstd(raw) }),
    decode: ({ bytes }, _reference, into) => unzstd(bytes, into.length),
  },
  planes_zstd: {
    encode: (raw, _reference, into) => {
      thePlanes().values.set(raw);
      const planes = thePlanes().split("float32", raw.length / 4);
      for (const [index, plane] of planes.entries()) into.set(plane, index * plane.length);
      return { bytes: zstd(into.subarray(0, raw.length)) };
    },
    decode: ({ bytes }, _reference, into) => {
      const joined = unzstd(bytes, into.length);
      const count = into.length / 4;
      for (let index = 0; index < 4; index++)
        thePlanes()
          .plane(index, count)
          .set(joined.subarray(index * count, (index + 1) * count));
      thePlanes().join("float32", count);
      into.set(thePlanes().values.subarray(0, into.length));
      return into;
    },
  },
  blosc: {
    encode: async (raw) => ({ bytes: own(await blosc.encode(raw)) }),
    decode: async ({ bytes }) => own(await blosc.decode(bytes)),
  },
  fflate: {
    encode: (raw) => ({ bytes: own(deflateSync(raw)) }),
    decode: ({ bytes }, _reference, into) => own(inflateSync(bytes, { out: into })),
  },
  compression_stream: {
    encode: async (raw) => ({ bytes: await through(raw, new CompressionStream("deflate-raw")) }),
    decode: ({ bytes }) => through(bytes, new DecompressionStream("deflate-raw")),
  },
};

const api: CodecApi = {
  async measure(states, rounds) {
    await readyZstd();
    const [reference = [], ...later] = states;
    const codecs: Record<string, CodecResult> = {};
    // The slow ones are as slow in the first round as in the last.
    for (const [name, codec] of Object.entries(CODECS))
      codecs[name] = await measured(
        codec,
        reference,
        later,
        name === "holdfast" || name === "zstd" ? rounds : 3,
      );
    const floors = later.map((chunks) => floorOf(chunks, reference));
    return { stateBytes: bytesIn(reference), codecs, floors };
  },
};

expose(api);

async function measured(
  codec: Codec,
  reference: readonly Bytes[],
  later: readonly (readonly Bytes[])[],
  rounds: number,
): Promise<CodecResult> {
  const total = later.reduce((sum, chunks) => sum + bytesIn(chunks), 0);
  const encode: number[] = [];
  const decode: number[] = [];
  let sizes: number[] = [];
  // A store frames what was encoded, and a restore fills a state: neither takes fresh memory for each chunk.
  const kept = later.map((chunks) => chunks.map(({ length }) => new Uint8Array(length + SLACK)));
  const filled = later.map((chunks) => chunks.map(({ length }) => new Uint8Array(length)));
  for (let round = 0; round < rounds; round++) {
    const packed: Packed[][] = [];
    const begun = performance.now();
    for (const [state, chunks] of later.entries()) {
      const all: Packed[] = [];
      for (const [index, raw] of chunks.entries())
        all.push(await codec.encode(raw, at(reference, index), at(at(kept, state), index)));
      packed.push(all);
    }
    encode.push(performance.now() - begun);
    const back: Bytes[][] = [];
    const turned = performance.now();
    for (const [state, all] of packed.entries()) {
      const raws: Bytes[] = [];
      for (const [index, one] of all.entries())
        raws.push(await codec.decode(one, at(reference, index), at(at(filled, state), index)));
      back.push(raws);
    }
    decode.push(performance.now() - turned);
    for (const [state, chunks] of later.entries())
      for (const [index, raw] of chunks.entries())
        if (!equalBytes(at(at(back, state), index), raw)) throw new Error("a codec gave back other bytes");
    sizes = packed.map((all, state) => {
      const stored = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
      return stored / bytesIn(at(later, state));
    });
  }
  const rate = (times: number[]): number => total / MB / (median(times) / 1000);
  return { sizes, encode: rate(encode), decode: rate(decode) };
}

/** Order-0 entropy of the four planes of the difference, over the whole state, relative to raw. */
function floorOf(chunks: readonly Bytes[], reference: readonly Bytes[]): number {
  const counts = Array.from({ length: 4 }, () => new Uint32Array(256));
  let words = 0;
  const planes = thePlanes();
  for (const [index, raw] of chunks.entries()) {
    planes.values.set(raw);
    planes.reference.set(at(reference, index));
    planes.subtract("float32", raw.length / 4);
    for (const [plane, bytes] of planes.split("float32", raw.length / 4).entries())
      for (const byte of bytes) at(counts, plane)[byte]!++;
    words += raw.length / 4;
  }
  const bits = counts.map((plane) =>
    plane.reduce((sum, count) => (count === 0 ? sum : sum - (count / words) * Math.log2(count / words)), 0),
  );
  return bits.reduce((sum, one) => sum + one, 0) / 32;
}

async function through(bytes: Bytes, stream: CompressionStream | DecompressionStream): Promise<Bytes> {
  const response = new Response(new Blob([bytes]).stream().pipeThrough(stream));
  return new Uint8Array(await response.arrayBuffer());
}

function own(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : Uint8Array.from(bytes);
}

function bytesIn(chunks: readonly Bytes[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error("the states have different chunks");
  return value;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
