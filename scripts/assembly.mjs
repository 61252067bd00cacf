/** `npm run assembly`: compiles `assembly/` to WebAssembly, into the source that carries it. */
import { writeFile } from "node:fs/promises";
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";

await main(async () => {
  await ensureInstalled();
  const { compilePlanes, PLANES_MODULE } = await import("./lib/assembly.mjs");
  await writeFile(PLANES_MODULE, await compilePlanes());
});
