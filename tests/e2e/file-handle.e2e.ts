/** What a browser gives of a file that is referred to and not kept: the reason why data is copied into the store (docs/data.md). */
import { appendFileSync, writeFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { openApp } from "../support/app-page";
import { expect, test } from "../support/browser";

const DATABASE = "handles";

/** Drops the file on the page, as a person does, and keeps its handle in IndexedDB. */
async function keepHandle(page: Page, path: string): Promise<void> {
  await page.evaluate((name) => {
    // TypeScript's DOM does not know it yet.
    type Item = DataTransferItem & { getAsFileSystemHandle(): Promise<FileSystemFileHandle> };
    window.addEventListener(
      "drop",
      (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
        const item = event.dataTransfer?.items[0] as Item | undefined;
        void item?.getAsFileSystemHandle().then((handle) => {
          const opening = indexedDB.open(name, 1);
          opening.onupgradeneeded = () => opening.result.createObjectStore("handles");
          opening.onsuccess = () => {
            const kept = opening.result.transaction("handles", "readwrite");
            kept.objectStore("handles").put(handle, "file");
            kept.oncomplete = () => (document.title = "kept");
          };
        });
      },
      { capture: true, once: true },
    );
  }, DATABASE);
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await session.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
  await expect(page).toHaveTitle("kept");
}

/** What can be read of it now: its text, or the name of the error. */
function readKept(page: Page): Promise<string> {
  return page.evaluate(async (name) => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open(name, 1);
      opening.onsuccess = () => {
        resolve(opening.result);
      };
    });
    const handle = await new Promise<FileSystemFileHandle>((resolve) => {
      const asked = database.transaction("handles").objectStore("handles").get("file");
      asked.onsuccess = () => {
        resolve(asked.result as FileSystemFileHandle);
      };
    });
    database.close();
    try {
      return await (await handle.getFile()).text();
    } catch (error) {
      return error instanceof DOMException ? error.name : String(error);
    }
  }, DATABASE);
}

test("a handle of a file reads what the file became, and after a reload nothing until a person allows it", async ({
  live,
  app,
}, info) => {
  const { page } = live;
  await openApp(page, app.url);
  const path = info.outputPath("big.csv");
  writeFileSync(path, "a,b\n");
  await keepHandle(page, path);
  expect(await readKept(page)).toBe("a,b\n");
  appendFileSync(path, "1,2\n");
  expect(await readKept(page)).toBe("a,b\n1,2\n");
  await page.reload();
  expect(await readKept(page)).toBe("NotAllowedError");
});
