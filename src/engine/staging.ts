/** The slices through which bytes leave a WebGPU device: how they are filled, and who has one when. */
import { HoldfastError } from "../errors";

/** A stretch of a tensor's bytes and its place in a slice. */
export interface Piece {
  /** Index of the tensor. */
  readonly tensor: number;
  readonly from: number;
  readonly at: number;
  readonly bytes: number;
  /** Does it end the tensor? */
  readonly last: boolean;
}

/** Cuts tensors of the given sizes in bytes, in order, into slices of at most `sliceBytes`. */
export function planSlices(sizes: readonly number[], sliceBytes: number): Piece[][] {
  const slices: Piece[][] = [];
  let room = 0;
  for (const [tensor, size] of sizes.entries()) {
    for (let from = 0; from < size;) {
      if (room === 0) {
        slices.push([]);
        room = sliceBytes;
      }
      const bytes = Math.min(room, size - from);
      from += bytes;
      slices.at(-1)?.push({ tensor, from: from - bytes, at: sliceBytes - room, bytes, last: from === size });
      room -= bytes;
    }
  }
  return slices;
}

/** At most `count` staging buffers, made when first needed and lent in the order of asking. */
export class StagingRing {
  readonly #device: GPUDevice;
  readonly #sliceBytes: number;
  readonly #count: number;
  readonly #all: GPUBuffer[] = [];
  readonly #free: GPUBuffer[] = [];
  readonly #waiting: {
    readonly resolve: (buffer: GPUBuffer) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  #disposed = false;

  constructor(device: GPUDevice, sliceBytes: number, count: number) {
    this.#device = device;
    this.#sliceBytes = sliceBytes;
    this.#count = count;
  }

  /** An unmapped buffer, once one is free. Fails with `cancelled` after `dispose`. */
  acquire(): Promise<GPUBuffer> {
    if (this.#disposed) return Promise.reject(disposedError());
    const free = this.#free.pop() ?? this.#make();
    if (free !== undefined) return Promise.resolve(free);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Gives a buffer back, mapped or not. */
  release(buffer: GPUBuffer): void {
    if (buffer.mapState !== "unmapped") buffer.unmap();
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next.resolve(buffer);
  }

  dispose(): void {
    this.#disposed = true;
    for (const buffer of this.#all) buffer.destroy();
    for (const { reject } of this.#waiting.splice(0)) reject(disposedError());
  }

  #make(): GPUBuffer | undefined {
    if (this.#all.length === this.#count) return undefined;
    const buffer = this.#device.createBuffer({
      label: "holdfast staging",
      size: this.#sliceBytes,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    this.#all.push(buffer);
    return buffer;
  }
}

function disposedError(): HoldfastError {
  return new HoldfastError("cancelled", "The read-back was given up: the run was closed meanwhile.");
}
