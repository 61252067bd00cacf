/** Benches and drills by name. They are TypeScript and share code with the tests, so Vite loads them: Node 20 cannot. */
import { existsSync, readdirSync } from "node:fs";
import { join, parse } from "node:path";
import { runnerImport } from "vite";
import { ROOT } from "./process.mjs";

/** @param {string} folder @returns {readonly string[]} */
export function namesIn(folder) {
  const path = join(ROOT, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => name.endsWith(".ts") && !name.includes(".config."))
    .map((name) => parse(name).name)
    .sort();
}

/**
 * The `run` function of `folder/name.ts`.
 *
 * @template Context
 * @template Result
 * @param {string} folder
 * @param {string} name
 * @returns {Promise<(context: Context) => Promise<Result>>}
 */
export async function loadRun(folder, name) {
  /** @type {{ readonly module: { readonly run?: (context: Context) => Promise<Result> } }} */
  const { module } = await runnerImport(join(ROOT, folder, `${name}.ts`), {
    configFile: false,
    root: ROOT,
    logLevel: "error",
  });
  if (module.run === undefined) throw new Error(`${folder}/${name}.ts exports no \`run\`.`);
  return module.run;
}
