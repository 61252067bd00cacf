/**
 * SHA-256 without a thread pool. A store of a few kilobytes is hashed a hundred times, and what goes through a pool
 * comes back in any order: with this, a seed repeats a whole campaign, background work and all.
 */
import { createHash } from "node:crypto";

const digest = (_name: unknown, bytes: Uint8Array): Promise<ArrayBuffer> => {
  const hash = createHash("sha256").update(bytes).digest();
  return Promise.resolve(Uint8Array.from(hash).buffer);
};

/** For this process. */
export function hashAtOnce(): void {
  Object.defineProperty(globalThis.crypto.subtle, "digest", { value: digest, configurable: true });
}
