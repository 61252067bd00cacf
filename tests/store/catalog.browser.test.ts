import { openCatalog } from "../../src/store/catalog";
import { catalogConforms } from "../support/catalog-conforms";

let databases = 0;

catalogConforms("IndexedDB in Chromium", async () => {
  const name = `test-${databases++}`;
  await new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = resolve;
    request.onerror = reject;
  });
  return openCatalog(name);
});
