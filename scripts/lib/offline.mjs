/**
 * Lets the build work without a network: adds the service worker, with the name and digest of every file.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SCRIPT = "service-worker.js";
const PAGE = "index.html";

/** @param {string | Uint8Array} content */
function sha256(content) {
  return createHash("sha256").update(content).digest("hex");
}

/** @param {string} folder @returns {readonly (readonly [path: string, digest: string])[]} */
function filesOf(folder) {
  if (folder === "" || !existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1).replaceAll("\\", "/"), sha256(readFileSync(path))];
    });
}

/**
 * In the development server there is no service worker: files have one name there and change all the time.
 *
 * @param {string} source the service worker's own, from the root of the repository
 * @returns {import("vite").Plugin}
 */
export function offline(source) {
  let publicFolder = "";
  return {
    name: "offline",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      publicFolder = config.publicDir;
    },
    buildStart() {
      this.emitFile({ type: "chunk", id: source, fileName: SCRIPT });
    },
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const script = bundle[SCRIPT];
        if (script?.type !== "chunk" || script.imports.length > 0 || script.dynamicImports.length > 0)
          throw new Error(`${SCRIPT} must be one file: what it imports, nothing of the page may import too.`);
        const built = Object.values(bundle)
          .filter((file) => file !== script)
          .map(
            (file) =>
              /** @type {const} */ ([file.fileName, sha256(file.type === "chunk" ? file.code : file.source)]),
          );
        const all = [...built, ...filesOf(publicFolder)].map(
          ([path, digest]) =>
            // By the address that every host has for it: some send `index.html` on to the folder.
            /** @type {const} */ ([path === PAGE ? "./" : path, digest]),
        );
        const files = Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
        const build = { version: sha256(JSON.stringify(files)).slice(0, 16), files };
        script.code = `const HOLDFAST_BUILD=${JSON.stringify(build)};${script.code}`;
      },
    },
  };
}
