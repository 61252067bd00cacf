/**
 * Brings tensors from the device to memory without holding the step loop.
 *
 * On WebGPU tensors travel through a ring of staging slices: many small ones share a slice, a large one takes
 * several. Each call to the GPU may cost the thread its turn, so slices are few and large; what is mapped is copied
 * out in small stretches, each in a task of its own, so that between two of them the loop can submit a step.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { HoldfastError, hasCode, messageOf } from "../errors";
import type { TensorValues } from "../format/tensors";
import type { Device } from "./device";
import { nextTask, rest } from "./next-task";
import { SpareBuffers } from "./spare-buffers";
import { planSlices, StagingRing, type Piece } from "./staging";

export const SLICE_BYTES = 2 ** 22;
export const SLICES = 3;
/** Copied out at once; then the clock is asked whether there is time for more. */
const COPY_BYTES = 2 ** 17;
/** How long one task copies, milliseconds, and how long the thread then belongs to the loop. */
const COPY_MS = 0.5;
const REST_MS = 2;
/** On a WebGPU device every element has 4 bytes, `bool` ones too. */
const ELEMENT_BYTES = 4;

/** Runs `work` and notes how long it held the thread. */
type Hold = <Result>(work: () => Result) => Result;

/** Reads tensors back. Several reads may be under way; they share the slices. */
export class ReadBack {
  readonly #device: Device;
  readonly #sliceBytes: number;
  readonly #ring: StagingRing | null;
  readonly #spare = new SpareBuffers();

  /** `sliceBytes`: a multiple of 8. */
  constructor(device: Device, sliceBytes = SLICE_BYTES, slices = SLICES) {
    this.#device = device;
    this.#sliceBytes = sliceBytes;
    this.#ring = device.webgpu === null ? null : new StagingRing(device.webgpu.device, sliceBytes, slices);
  }

  /**
   * Takes the tensors over: each is disposed once its bytes are on their way, and all of them on failure.
   * `held` gets each stretch that this held the thread, milliseconds. Fails with `device-lost` where the device
   * went away before the last byte was here: what a lost device gives may be zeros.
   */
  async read(tensors: readonly Tensor[], held: number[] = []): Promise<TensorValues[]> {
    const hold: Hold = (work) => {
      const start = performance.now();
      try {
        return work();
      } finally {
        held.push(performance.now() - start);
      }
    };
    try {
      this.#device.assertPresent();
      const { webgpu } = this.#device;
      const ring = this.#ring;
      const values = await this.#device.orLost(
        webgpu === null || ring === null
          ? readOneByOne(tensors, hold)
          : this.#readSlices(webgpu, ring, tensors, hold),
      );
      this.#device.assertPresent();
      return values;
    } catch (error) {
      throw this.#explained(error);
    } finally {
      hold(() => {
        for (const tensor of tensors) if (!tensor.isDisposed) tensor.dispose();
      });
    }
  }

  /** Takes buffers that `read` gave and nobody uses any more; later reads fill them again. */
  recycle(buffers: readonly ArrayBuffer[]): void {
    this.#spare.give(buffers);
  }

  /** Frees the slices; reads under way fail with `cancelled`. */
  dispose(): void {
    this.#ring?.dispose();
  }

  async #readSlices(
    webgpu: WebGPUBackend,
    ring: StagingRing,
    tensors: readonly Tensor[],
    hold: Hold,
  ): Promise<TensorValues[]> {
    const sizes = tensors.map((tensor) => tensor.size * ELEMENT_BYTES);
    const plan = planSlices(sizes, this.#sliceBytes);
    hold(() => {
      for (const { dataId } of tensors) webgpu.uploadToGPU(dataId);
      this.#device.flush();
    });
    const bytes: Uint8Array<ArrayBuffer>[] = [];
    // Making fresh ones takes time by their size: not all of them in one task.
    const arrayOf = (tensor: number) =>
      (bytes[tensor] ??= new Uint8Array(this.#spare.take(sizes[tensor] ?? 0)));
    const failures: unknown[] = [];
    const copies: Promise<void>[] = [];
    for (const pieces of plan) {
      const staging = await ring.acquire();
      if (failures.length > 0) {
        ring.release(staging);
        break;
      }
      hold(() => {
        submitCopies(webgpu, staging, pieces, tensors);
      });
      const copied = copyOut(staging, pieces, arrayOf, hold).finally(() => {
        ring.release(staging);
      });
      copies.push(copied.catch((error: unknown) => void failures.push(error)));
      await rest(REST_MS);
    }
    await Promise.all(copies);
    if (failures.length > 0) throw failures[0];
    return tensors.map((tensor, index) => valuesOf(tensor, bytes[index]));
  }

  #explained(error: unknown): unknown {
    if (hasCode(error, "cancelled")) return error;
    this.#device.assertPresent();
    // The news of a loss may come later than the failed map; nothing else lets a map fail.
    if (!(error instanceof DOMException)) return error;
    const message = `The GPU gave no data back (${messageOf(error)}): it was lost. Resume the run in a new worker.`;
    return new HoldfastError("device-lost", message, { cause: error });
  }
}

function submitCopies(
  webgpu: WebGPUBackend,
  staging: GPUBuffer,
  pieces: readonly Piece[],
  tensors: readonly Tensor[],
): void {
  const encoder = webgpu.device.createCommandEncoder({ label: "holdfast read-back" });
  for (const { tensor, from, at, bytes } of pieces) {
    const resource = tensors[tensor] && webgpu.tensorMap.get(tensors[tensor].dataId).resource;
    if (!(resource instanceof GPUBuffer))
      throw new HoldfastError("internal", "A tensor to read back has no GPU buffer.");
    encoder.copyBufferToBuffer(resource, from, staging, at, bytes);
  }
  webgpu.queue.submit([encoder.finish()]);
  // The queue keeps the order: a buffer that is freed now is written to after the copy.
  for (const { tensor, last } of pieces) if (last) tensors[tensor]?.dispose();
}

async function copyOut(
  staging: GPUBuffer,
  pieces: readonly Piece[],
  arrayOf: (tensor: number) => Uint8Array,
  hold: Hold,
): Promise<void> {
  const used = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  await staging.mapAsync(GPUMapMode.READ, 0, used);
  // Several maps may resolve in one task.
  await nextTask();
  const mapped = hold(() => new Uint8Array(staging.getMappedRange(0, used)));
  for (let start = 0; start < used;) {
    if (start > 0) await rest(REST_MS);
    start = hold(() => copyStretch(mapped, start, pieces, arrayOf));
  }
}

/** Copies from `start` on until time is up. Returns where it stopped. */
function copyStretch(
  mapped: Uint8Array,
  start: number,
  pieces: readonly Piece[],
  arrayOf: (tensor: number) => Uint8Array,
): number {
  const begun = performance.now();
  let end = start;
  do {
    const next = Math.min(end + COPY_BYTES, mapped.length);
    for (const { tensor, from, at, bytes } of pieces) {
      const first = Math.max(at, end);
      const last = Math.min(at + bytes, next);
      if (first < last) arrayOf(tensor).set(mapped.subarray(first, last), from + first - at);
    }
    end = next;
  } while (end < mapped.length && performance.now() - begun < COPY_MS);
  return end;
}

/**
 * Never `dataSync`: on a lost device it gives zeros. `slice`, because tfjs keeps what `data` gave. The loop has its turn
 * once some time was taken, not after each: many losses are a few bytes, and would come as late as as many steps take.
 */
async function readOneByOne(tensors: readonly Tensor[], hold: Hold): Promise<TensorValues[]> {
  const values: TensorValues[] = [];
  let begun = performance.now();
  for (const tensor of tensors) {
    const data = await hold(() => tensor.data());
    values.push(hold(() => data.slice()));
    if (performance.now() - begun < COPY_MS) continue;
    await nextTask();
    begun = performance.now();
  }
  return values;
}

function valuesOf(tensor: Tensor, bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)): TensorValues {
  switch (tensor.dtype) {
    case "float32":
      return new Float32Array(bytes.buffer);
    case "int32":
      return new Int32Array(bytes.buffer);
    case "bool":
      return Uint8Array.from(new Int32Array(bytes.buffer));
    case "complex64":
    case "string":
      throw new HoldfastError("internal", `A ${tensor.dtype} tensor cannot be part of a state.`);
    default:
      throw new HoldfastError("internal", `Unknown tensor type ${String(tensor.dtype satisfies never)}.`);
  }
}
