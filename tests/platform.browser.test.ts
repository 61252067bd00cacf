/** What the other browser tests take for granted; when one of these fails, look here first. */
import { expect, test } from "vitest";

test("the browser has a WebGPU adapter", async () => {
  const adapter = await navigator.gpu.requestAdapter();
  expect(adapter).not.toBeNull();
});

test("the page is a secure context with OPFS, Web Locks and IndexedDB", async () => {
  expect(isSecureContext).toBe(true);
  const root = await navigator.storage.getDirectory();
  expect(root.kind).toBe("directory");
  const held = await navigator.locks.request("holdfast-platform", (lock) => lock?.mode);
  expect(held).toBe("exclusive");
  const databases = await indexedDB.databases();
  expect(Array.isArray(databases)).toBe(true);
});
