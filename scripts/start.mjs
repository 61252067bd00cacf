/** `npm start`: from a fresh clone to the app in a browser. */
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";

const FIRST_PORT = 4173;

await main(async () => {
  await ensureInstalled();
  const { ensureBuilt } = await import("./lib/build.mjs");
  const { serve } = await import("./lib/serve.mjs");
  const folder = await ensureBuilt();
  const served = await serve(folder, { port: Number(process.env["PORT"] ?? FIRST_PORT) });
  process.stdout.write(`Holdfast is at ${served.url} (Ctrl+C ends it)\n`);
});
