/**
 * The library as a package: four entries, one storage worker, types. What it needs is bundled in, but for
 * TensorFlow.js, which is the page's own.
 *
 * The worker is one file beside the entry and its wasm one beside the worker, both named by
 * `new URL("./…", import.meta.url)`: the one form that bundlers and plain pages both understand, and that a content
 * security policy without `blob:` and `data:` allows.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { ROOT, tool } from "./process.mjs";

export const PACKAGE = join(ROOT, ".cache", "package", "holdfast");
const WORKER = "storage.worker";
const WASM = "zstd.wasm";

/** By their names in `exports`. */
export const ENTRIES = /** @type {const} */ ({
  ".": "index",
  "./tfjs": "tfjs",
  "./optimizers": "optimizers",
  "./bundles": "bundles",
});

/** Bundled into the package. @type {readonly string[]} */
const BUNDLED = ["@bokuweb/zstd-wasm", "@noble/hashes", "comlink", "idb"];

/** What lies elsewhere here than in the package. Each has to be found, or the package would be broken in silence. */
const MOVED = [
  { file: "src/worker/storage-client.ts", from: `./${WORKER}.ts`, to: `./${WORKER}.js` },
  {
    file: "src/format/zstd.ts",
    from: "../../node_modules/@bokuweb/zstd-wasm/dist/web/zstd.wasm",
    to: `./${WASM}`,
  },
];

/** @returns {import("rolldown").Plugin} */
function moved() {
  return {
    name: "moved",
    transform(code, id) {
      const rule = MOVED.find(({ file }) => id === join(ROOT, file));
      if (rule === undefined) return null;
      const text = code.replace(rule.from, rule.to);
      if (text === code)
        throw new Error(`${rule.file} no longer names ${rule.from}: correct scripts/lib/package.mjs.`);
      return text;
    },
  };
}

/**
 * @param {Readonly<Record<string, string>>} input
 * @param {{ readonly minify: boolean, readonly isOneFile: boolean }} options
 */
async function bundle(input, { minify, isOneFile }) {
  const built = await rolldown({
    input: { ...input },
    platform: "browser",
    external: /^@tensorflow\//,
    plugins: [moved()],
    // A warning here is a name that is not there, or a worker that would need a second file.
    onLog: (level, log) => {
      if (level === "warn") throw new Error(log.message);
    },
  });
  await built.write({
    dir: PACKAGE,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "shared-[name].js",
    codeSplitting: !isOneFile,
    minify,
  });
  await built.close();
}

/** The declarations that the entries reach, with the endings that every resolver understands. */
function writeTypes() {
  const all = join(ROOT, ".cache", "package", "types");
  rmSync(all, { recursive: true, force: true });
  const project = join(ROOT, "tsconfig.package.json");
  const { status, stdout } = spawnSync(process.execPath, [tool("typescript/bin/tsc"), "-p", project], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The declarations could not be written:\n${stdout}`);
  const seen = new Set();
  const waiting = Object.values(ENTRIES).map((name) => join(all, `${name}.d.ts`));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const from = dirname(file);
    const text = readFileSync(file, "utf8").replace(
      /(from |import\()"(\.[^"]*)"/g,
      (_all, before, target) => {
        waiting.push(join(from, `${target}.d.ts`));
        return `${before}"${target}.js"`;
      },
    );
    const to = join(PACKAGE, "types", relative(all, file));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, text);
  }
}

function writeManifest() {
  const root = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const { name, version, description, license, type } = root;
  const exports = Object.fromEntries(
    Object.entries(ENTRIES).map(([path, file]) => [
      path,
      { types: `./types/${file}.d.ts`, default: `./${file}.js` },
    ]),
  );
  const manifest = {
    name,
    version,
    // Not for a registry yet: it can be packed, and installed from the file.
    private: true,
    description,
    license,
    type,
    sideEffects: [`./${WORKER}.js`],
    exports: {
      ...exports,
      [`./${WORKER}.js`]: `./${WORKER}.js`,
      [`./${WASM}`]: `./${WASM}`,
      "./package.json": "./package.json",
    },
    peerDependencies: { "@tensorflow/tfjs-core": `^${root.dependencies["@tensorflow/tfjs-core"]}` },
    peerDependenciesMeta: { "@tensorflow/tfjs-core": { optional: true } },
  };
  writeFileSync(join(PACKAGE, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The licences of what is bundled in ask to be kept with it. */
function writeNotices() {
  const parts = BUNDLED.map((name) => {
    const folder = tool(name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8").trim();
    return `## ${name} ${version} (${license})\n\n${text}\n`;
  });
  writeFileSync(
    join(PACKAGE, "THIRD-PARTY-NOTICES.md"),
    `# What is bundled into this package\n\n${parts.join("\n")}`,
  );
}

/** Packs the built package as npm does. Returns the path of the tarball. */
export function packPackage() {
  const folder = dirname(PACKAGE);
  for (const name of readdirSync(folder)) if (name.endsWith(".tgz")) rmSync(join(folder, name));
  const packed = spawnSync("npm", ["pack", "--pack-destination", folder], { cwd: PACKAGE, encoding: "utf8" });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (packed.status !== 0 || tarball === undefined) throw new Error(`npm pack failed:\n${packed.stderr}`);
  return join(folder, tarball);
}

/** What a page takes of it, as its bundler would leave it: minified, each import with all that it needs. */
const TAKEN = [
  { what: "openStore, arrays", code: 'export { openStore, arrays } from "holdfast";' },
  { what: "everything in holdfast", code: 'export * from "holdfast";' },
  {
    what: "openStore and layersModel (holdfast/tfjs)",
    code: 'export { openStore } from "holdfast"; export { layersModel } from "holdfast/tfjs";',
  },
  {
    what: "openStore and optimized (holdfast/optimizers)",
    code: 'export { openStore } from "holdfast"; export { optimized } from "holdfast/optimizers";',
  },
  { what: "holdfast/bundles", code: 'export * from "holdfast/bundles";' },
];

/**
 * Bytes, and bytes after gzip, of what a page loads.
 *
 * @returns {Promise<readonly { readonly what: string, readonly bytes: number, readonly gzip: number }[]>}
 */
export async function sizes() {
  const result = [];
  for (const { what, code } of TAKEN) {
    const built = await rolldown({
      input: "taken",
      platform: "browser",
      external: /^@tensorflow\//,
      plugins: [
        {
          name: "taken",
          resolveId(source) {
            if (source === "taken") return source;
            const entry = Object.entries(ENTRIES).find(([path]) => source === join("holdfast", path));
            return entry === undefined ? null : join(PACKAGE, `${entry[1]}.js`);
          },
          load: (id) => (id === "taken" ? code : null),
        },
      ],
    });
    const { output } = await built.generate({ format: "esm", minify: true });
    await built.close();
    result.push(
      weighed(what, Buffer.from(output.map((chunk) => ("code" in chunk ? chunk.code : "")).join(""))),
    );
  }
  for (const file of [`${WORKER}.js`, WASM]) result.push(weighed(file, readFileSync(join(PACKAGE, file))));
  return result;
}

/** @param {string} what @param {Buffer} bytes */
function weighed(what, bytes) {
  return { what, bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

/** Builds the package into its folder. */
export async function buildPackage() {
  rmSync(PACKAGE, { recursive: true, force: true });
  mkdirSync(PACKAGE, { recursive: true });
  const entries = Object.fromEntries(
    Object.values(ENTRIES).map((name) => [name, join(ROOT, "src", `${name}.ts`)]),
  );
  await bundle(entries, { minify: false, isOneFile: false });
  // Alone, so that it is one file: a worker in pieces needs more of a bundler than all of them give.
  await bundle({ [WORKER]: join(ROOT, "src", "worker", `${WORKER}.ts`) }, { minify: true, isOneFile: true });
  copyFileSync(tool("@bokuweb/zstd-wasm/dist/web/zstd.wasm"), join(PACKAGE, WASM));
  writeTypes();
  writeManifest();
  writeNotices();
  cpSync(join(ROOT, "LICENSE"), join(PACKAGE, "LICENSE"));
  cpSync(join(ROOT, "docs", "package.md"), join(PACKAGE, "README.md"));
  cpSync(join(ROOT, "docs", "library.md"), join(PACKAGE, "library.md"));
  cpSync(join(ROOT, "docs", "api.md"), join(PACKAGE, "api.md"));
  return PACKAGE;
}
