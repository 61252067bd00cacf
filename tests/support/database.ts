/** The catalogue's own rows, from outside of the app. */
import type { Page } from "@playwright/test";

/** Puts another row in place of one in the page's database. `edit` runs in the page and sees nothing but the row. */
export async function rewriteRow(
  page: Page,
  table: string,
  key: readonly (string | number)[],
  edit: (row: never) => unknown,
): Promise<void> {
  await page.evaluate(`new Promise((resolve, reject) => {
    const opening = indexedDB.open("holdfast");
    opening.onerror = () => reject(new Error("no database"));
    opening.onsuccess = () => {
      const db = opening.result;
      const store = db.transaction(${JSON.stringify(table)}, "readwrite").objectStore(${JSON.stringify(table)});
      const reading = store.get(${JSON.stringify(key)});
      reading.onsuccess = () => {
        if (reading.result === undefined) return reject(new Error("no such row"));
        store.put((${edit.toString()})(reading.result)).onsuccess = () => {
          db.close();
          resolve();
        };
      };
    };
  })`);
}
