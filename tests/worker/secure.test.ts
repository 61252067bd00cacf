/** By plain HTTP there is neither storage nor locks: that is said first, before anything fails of it. */
import { afterEach, expect, suite, test, vi } from "vitest";
import { openStore } from "../../src/index";
import { openHoldfast } from "../../src/worker/holdfast";
import { codeOf } from "../support/run-samples";

/** Workers that were begun; none of them answers. */
let begun = 0;

class SilentWorker {
  constructor() {
    begun += 1;
  }
  addEventListener(): void {}
  postMessage(): void {}
  terminate(): void {}
}

class SilentChannel {
  addEventListener(): void {}
}

function page(isSecureContext: boolean): void {
  begun = 0;
  vi.stubGlobal("isSecureContext", isSecureContext);
  vi.stubGlobal("Worker", SilentWorker);
  vi.stubGlobal("BroadcastChannel", SilentChannel);
}

afterEach(() => {
  vi.unstubAllGlobals();
});

suite.each([
  ["the library", openStore],
  ["the app", openHoldfast],
] as const)("%s", (_name, open) => {
  test("says in a page that is no secure context what it needs", async () => {
    page(false);
    await expect(open()).rejects.toThrow(/not a secure context.*HTTPS, or on localhost/);
    expect(await codeOf(open())).toBe("unsupported");
    expect(begun).toBe(0);
  });
});

test("control: in a secure context the storage worker is begun", () => {
  page(true);
  void openStore();
  expect(begun).toBe(1);
});
