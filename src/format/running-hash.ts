/** SHA-256 of bytes that come in pieces, or at once without a promise: WebCrypto has neither. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

export class RunningHash {
  readonly #hash = sha256.create();

  add(bytes: Uint8Array): this {
    this.#hash.update(bytes);
    return this;
  }

  /** Of all that was added, hex. Nothing can be added after it. */
  hex(): string {
    return bytesToHex(this.#hash.digest());
  }
}
