/**
 * Zstandard level 1, the only file that knows the library.
 *
 * The wasm module is loaded once (`readyZstd`), then both directions are plain function calls. The library
 * allocates what a frame's header asks for and does not check that it got it, so a damaged header could write
 * over its memory. Hence nothing goes in unless its header promises exactly the length that the caller
 * expects, and no more than a chunk.
 */
import { compress as compressFrame, decompress as decompressFrame, init } from "@bokuweb/zstd-wasm";
import { HoldfastError, messageOf } from "../errors";
import type { Bytes } from "./bytes";
import { CHUNK_BYTES } from "./chunks";

const LEVEL = 1;
/** RFC 8878, section 3.1.1. */
const FRAME_MAGIC = 0xfd2fb528;

let loading: Promise<void> | undefined;
let loaded = false;

/** Loads the codec; again after a failure. `unsupported` where the browser refuses to run it. */
export function readyZstd(): Promise<void> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

/** One zstd frame. `invalid` above the size of a chunk. */
export function compress(bytes: Uint8Array): Bytes {
  checkLoaded();
  if (bytes.length > CHUNK_BYTES)
    throw new HoldfastError("invalid", `${bytes.length} bytes are too many to compress at once.`);
  return owned(compressFrame(bytes, LEVEL));
}

/** Exactly `rawLength` bytes, or `corrupt`. */
export function decompress(bytes: Uint8Array, rawLength: number): Bytes {
  checkLoaded();
  if (rawLength > CHUNK_BYTES || promisedLength(bytes) !== rawLength) throw damaged();
  let raw: Bytes;
  try {
    raw = owned(decompressFrame(bytes));
  } catch (error) {
    throw damaged(error);
  }
  if (raw.length !== rawLength) throw damaged();
  return raw;
}

async function load(): Promise<void> {
  // Vite turns this into the address of an emitted file, which the page's content security policy allows.
  const wasm = new URL("../../node_modules/@bokuweb/zstd-wasm/dist/web/zstd.wasm", import.meta.url);
  try {
    await start(await compiled(wasm));
  } catch (error) {
    throw new HoldfastError(
      "unsupported",
      `The compression module did not start: ${messageOf(error)}. Reload the page.`,
      {
        cause: error,
      },
    );
  }
  loaded = true;
  // Grows the module's memory once to what the largest chunk needs. The library does not check its
  // allocations, so none may have to grow later, when the device may be short of memory.
  const largest = new Uint8Array(CHUNK_BYTES);
  decompress(compress(largest), largest.length);
}

/** The library's browser entry takes the module's bytes too; its types, made for Node, do not say so. */
const start: (wasm: ArrayBuffer) => Promise<void> = init;

/** What Node has for files; it fetches none. */
interface FileReading {
  readonly process?: {
    readonly getBuiltinModule?: (name: "node:fs") => { readonly readFileSync: (url: URL) => Uint8Array };
  };
}

async function bytesAt(url: URL): Promise<ArrayBuffer> {
  const files =
    url.protocol === "file:" ? (globalThis as FileReading).process?.getBuiltinModule?.("node:fs") : undefined;
  // A copy: small files lie in a buffer that they share.
  if (files !== undefined) return new Uint8Array(files.readFileSync(url)).buffer;
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}`);
  return response.arrayBuffer();
}

async function compiled(url: URL): Promise<ArrayBuffer> {
  const bytes = await bytesAt(url);
  // Where compiling fails the library neither resolves nor rejects; here it throws.
  await WebAssembly.compile(bytes);
  return bytes;
}

/** The raw length in a frame's header (RFC 8878, section 3.1.1.1), or undefined where there is none. */
function promisedLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < 6) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== FRAME_MAGIC) return undefined;
  const descriptor = view.getUint8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeFlag = descriptor >>> 6;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 2 ** sizeFlag;
  const at = 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  if (bytes.length < at + sizeBytes) return undefined;
  switch (sizeBytes) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      return undefined;
  }
}

/** The library copies its results out of the module's memory with `slice`, so the buffer is a plain one. */
function owned(bytes: Uint8Array): Bytes {
  return bytes as Bytes;
}

function checkLoaded(): void {
  if (!loaded) throw new HoldfastError("internal", "The codec was used before readyZstd() resolved.");
}

function damaged(cause?: unknown): HoldfastError {
  return new HoldfastError(
    "corrupt",
    "Compressed bytes are damaged: they do not unpack to the length that was recorded.",
    { cause },
  );
}
