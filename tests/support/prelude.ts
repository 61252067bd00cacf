/** The built app with a few lines put before one of its scripts: what a browser that refuses something does to it. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "../../scripts/lib/build.mjs";
import { serve, type Served } from "../../scripts/lib/serve.mjs";

/** `script`: how the name of the one file begins, as in `storage.worker`. */
export async function serveWith(script: string, prelude: string): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-prelude-"));
  await cp(await ensureBuilt(), folder, { recursive: true });
  const names = (await readdir(join(folder, "assets"))).filter((name) => name.startsWith(script));
  const [name] = names;
  if (name === undefined || names.length > 1)
    throw new Error(`${names.length} scripts begin with ${script}.`);
  const file = join(folder, "assets", name);
  await writeFile(file, `${prelude}\n${await readFile(file, "utf8")}`);
  // The server has read the folder once it answers.
  const served = await serve(folder);
  await rm(folder, { recursive: true, force: true });
  return served;
}
