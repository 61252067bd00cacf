/** The app's console API from Node: calls in the page, states as bytes. */
import type { Page } from "@playwright/test";
import type { HoldfastPage, StartOptions } from "../../src/worker/api";
import type { Changes, CheckpointInfo, RunDetail, RunInfo } from "../../src/worker/protocol";
import type { PlainEntry } from "./state-digest";

declare global {
  var holdfast: HoldfastPage;
}

/** Loads the app, unless it is loaded, and waits until its API answers. */
export async function openApp(page: Page, url: string): Promise<void> {
  if (!page.url().startsWith(url)) await page.goto(url);
  await page.waitForFunction(() => "holdfast" in globalThis);
}

export function start(page: Page, options: StartOptions): Promise<string> {
  return page.evaluate((given) => holdfast.start(given), options);
}

export function change(
  page: Page,
  run: string,
  changes: Changes & { readonly from?: number },
): Promise<RunInfo> {
  return page.evaluate(([id, given]) => holdfast.change(id, given), [run, changes] as const);
}

export function waitFor(
  page: Page,
  run: string,
  goal: { step?: number; status?: RunInfo["status"] },
): Promise<RunInfo> {
  return page.evaluate(([id, given]) => holdfast.waitFor(id, given), [run, goal] as const);
}

export function pause(page: Page, run: string): Promise<RunInfo> {
  return page.evaluate((id) => holdfast.pause(id), run);
}

export function resume(page: Page, run: string): Promise<RunInfo> {
  return page.evaluate((id) => holdfast.resume(id), run);
}

export function detail(page: Page, run: string): Promise<RunDetail> {
  return page.evaluate((id) => holdfast.detail(id), run);
}

export function checkpoints(page: Page, run: string): Promise<readonly CheckpointInfo[]> {
  return page.evaluate((id) => holdfast.checkpoints(id), run);
}

/** The state at rest, or of a checkpoint, every tensor and scalar, as little-endian bytes. */
export async function readState(page: Page, run: string, step?: number): Promise<PlainEntry[]> {
  const entries = await page.evaluate(
    async ([id, at]) => {
      const state = await holdfast.state(id, at);
      return [...state].map(([name, { dtype, shape, data }]) => {
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        let binary = "";
        for (const byte of bytes) binary += String.fromCharCode(byte);
        return { name, dtype, shape, base64: btoa(binary) };
      });
    },
    [run, step] as const,
  );
  return entries.map(({ name, dtype, shape, base64 }) => ({
    name,
    dtype,
    shape,
    bytes: Buffer.from(base64, "base64"),
  }));
}

/** The loss of every step, as bits. */
export function lossBits(page: Page, run: string): Promise<number[]> {
  return page.evaluate(async (id) => {
    const losses = await holdfast.losses(id);
    return [...new Uint32Array(losses.buffer, losses.byteOffset, losses.length)];
  }, run);
}
