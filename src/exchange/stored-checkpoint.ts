/** A checkpoint that may be moved while it is read. What is in it stays the same, so reading goes on where it was. */
import type { Bytes } from "../format/bytes";
import { checkpointHead } from "../format/checkpoint-file";
import type { Manifest } from "../format/manifest";
import type { CheckpointRow } from "../store/tables";
import type { StoreParts } from "../checkpoint/manager";
import { chunksOf, codeOfDamage, readManifest } from "../checkpoint/read";

export class StoredCheckpoint {
  readonly #parts: StoreParts;
  #row: CheckpointRow;

  constructor(parts: StoreParts, row: CheckpointRow) {
    this.#parts = parts;
    this.#row = row;
  }

  manifest(): Promise<Manifest> {
    return this.#asItIs(() => readManifest(this.#parts.packs, this.#row));
  }

  async head(): Promise<Bytes> {
    const manifest = await this.manifest();
    return checkpointHead(manifest, manifest.tensors);
  }

  /** As a safetensors file. */
  async *file(): AsyncGenerator<Bytes> {
    yield await this.head();
    yield* this.chunks();
  }

  /** Each valid until the next is asked for. */
  async *chunks(): AsyncGenerator<Bytes> {
    let open = await this.#reader(0);
    for (let index = 0; ; index += 1) {
      const next = await this.#asItIs(async (isAgain) => {
        if (isAgain) open = await this.#reader(index);
        return open.next();
      });
      if (next.done === true) return;
      yield next.value;
    }
  }

  async #reader(from: number): Promise<AsyncGenerator<Bytes>> {
    return chunksOf(this.#parts.packs, this.#row, await this.manifest(), from);
  }

  /** Once more where it was moved. */
  async #asItIs<T>(read: (isAgain: boolean) => Promise<T>): Promise<T> {
    for (let isAgain = false; ; isAgain = true) {
      try {
        return await read(isAgain);
      } catch (error) {
        const { run, step, manifestHash } = this.#row;
        const now = await this.#parts.catalog.read((tx) => tx.at("checkpoints", run, step));
        if (codeOfDamage(error) === null || now === undefined || now.manifestHash === manifestHash)
          throw error;
        this.#row = now;
      }
    }
  }
}
