/** `npm run api`: writes `docs/api.md` anew from the sources of the library. */
import { writeFileSync } from "node:fs";
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";

await main(async () => {
  await ensureInstalled();
  const { API, apiText, readApi } = await import("./lib/api.mjs");
  writeFileSync(API, await apiText(readApi()));
});
