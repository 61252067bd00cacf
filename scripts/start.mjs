/** `npm start [-- --port N]`: from a fresh clone to the app in a browser. */
import { ensureInstalled } from "./lib/install.mjs";
import { main } from "./lib/main.mjs";
import { readArguments } from "./lib/options.mjs";

const FIRST_PORT = 4173;
const LAST_PORT = 65_535;

/** @param {string | undefined} asked */
function portOf(asked) {
  const port = Number(asked ?? FIRST_PORT);
  if (Number.isInteger(port) && port >= 0 && port <= LAST_PORT) return port;
  throw new Error(`--port is ${asked}; give a whole number from 0 (any free one) to ${LAST_PORT}.`);
}

await main(async () => {
  const { name, options } = readArguments(process.argv.slice(2));
  const unknown = [
    ...(name === undefined ? [] : [name]),
    ...[...options.keys()].filter((key) => key !== "port"),
  ];
  if (unknown.length > 0) throw new Error(`npm start takes --port N, and not ${unknown.join(", ")}.`);
  const port = portOf(options.get("port"));
  await ensureInstalled();
  const { ensureBuilt } = await import("./lib/build.mjs");
  const { serve } = await import("./lib/serve.mjs");
  const served = await serve(await ensureBuilt(), { port });
  process.stdout.write(`Holdfast is at ${served.url} (Ctrl+C ends it)\n`);
});
