/** What the packed package has, and what a page gets of it. */
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, suite, test } from "vitest";
import { sizes } from "../../scripts/lib/package.mjs";
import { ROOT, tool } from "../../scripts/lib/process.mjs";
import { exportRuns } from "../support/bundles";
import { makeSite, SITE } from "../support/packed-site";
import { sampleRequest, sampleRows } from "../support/run-samples";
import { begun, RUN } from "../support/store-parts";

const PACKAGE = join(SITE, "node_modules", "holdfast");
let files: readonly string[] = [];

beforeAll(async () => {
  files = await makeSite();
}, 60_000);

function read(file: string): string {
  return readFileSync(join(PACKAGE, file), "utf8");
}

suite("the package", () => {
  test("has its entries, the worker and its wasm, types, and the licences: nothing else", () => {
    const isShared = (file: string) => /^shared-[\w-]+\.js$/.test(file);
    const isType = (file: string) => /^types\/[\w/-]+\.d\.ts$/.test(file);
    expect(files.filter((file) => !isShared(file) && !isType(file))).toEqual([
      "LICENSE",
      "README.md",
      "THIRD-PARTY-NOTICES.md",
      "api.md",
      "bundles.js",
      "index.js",
      "library.md",
      "optimizers.js",
      "package.json",
      "storage.worker.js",
      "tfjs.js",
      "zstd.wasm",
    ]);
    expect(files.filter(isType)).toEqual(expect.arrayContaining(["types/index.d.ts", "types/tfjs.d.ts"]));
    expect(files.filter((file) => /types\/(tasks|ui|worker|store|checkpoint|analysis)\//.test(file))).toEqual(
      [],
    );
  });

  test("imports TensorFlow.js in its optimizers alone, and nothing else that has to be installed", () => {
    const scripts = files.filter((file) => file.endsWith(".js"));
    const imported = scripts.flatMap((file) =>
      [...read(file).matchAll(/^(?:import|export) .*from ["']([^."'][^"']*)["'];$/gm)].map(
        ([, name]) => `${file}: ${name ?? ""}`,
      ),
    );
    expect(new Set(imported.filter((line) => !line.startsWith("shared-")))).toEqual(
      new Set(["optimizers.js: @tensorflow/tfjs-core"]),
    );
    for (const file of ["index.js", "tfjs.js"]) expect(read(file)).not.toMatch(/tensorflow\/tfjs|svelte/);
  });

  test("names worker and wasm as plain pages and bundlers understand, and holds nothing that the policy forbids", () => {
    expect(
      files.filter(
        (file) =>
          file.endsWith(".js") && read(file).includes('new URL("./storage.worker.js", import.meta.url)'),
      ),
    ).toHaveLength(1);
    expect(read("storage.worker.js")).toMatch(/new URL\([`"]\.\/zstd\.wasm[`"],import\.meta\.url\)/);
    const all = files
      .filter((file) => file.endsWith(".js"))
      .map(read)
      .join("\n");
    expect(all).not.toMatch(/createObjectURL|\beval\(|new Function\(|fetch\(["'`]data:/);
    expect(all).not.toContain(ROOT);
  });

  test("cannot be published by mistake, and names the licences of what it bundles", () => {
    const manifest: unknown = JSON.parse(read("package.json"));
    expect(manifest).toMatchObject({ name: "holdfast", private: true, type: "module" });
    expect(manifest).not.toHaveProperty("dependencies");
    expect(manifest).not.toHaveProperty("scripts");
    for (const name of ["comlink", "idb", "@noble/hashes", "@bokuweb/zstd-wasm"])
      expect(read("THIRD-PARTY-NOTICES.md")).toContain(`## ${name} `);
  });

  test("weighs what the README says", async () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    for (const { what, gzip } of await sizes()) {
      const said = new RegExp(`\\| ${what.replaceAll(/[().]/g, "\\$&")}\\s*\\|\\s*([\\d.]+) kB`).exec(
        readme,
      )?.[1];
      expect.soft(Math.abs(Number(said) - gzip / 1000), `${what}: ${gzip} bytes`).toBeLessThan(1);
    }
  });
});

test("a compact bundle opens in plain Node, from the package", async () => {
  const { manager, lease, parts } = await begun();
  await manager.save(lease, sampleRequest(2, sampleRows(1, 2)));
  const file = await exportRuns(manager, parts, [RUN], { isCompact: true });
  writeFileSync(join(SITE, "run.holdfast"), new Uint8Array(await file.arrayBuffer()));
  writeFileSync(
    join(SITE, "read.mjs"),
    `import { openAsBlob } from "node:fs";
     import { openBundle } from "holdfast/bundles";
     const bundle = await openBundle(await openAsBlob("run.holdfast"));
     const { tensors } = await bundle.state(${JSON.stringify(RUN)}, 2);
     console.log(tensors.map(({ name }) => name).join());`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, ["read.mjs"], { cwd: SITE, encoding: "utf8" });
  expect(stdout.trim(), stderr).toBe(
    "param/odd,param/weights,slot/count/weights,slot/mask/weights,slot/none/weights",
  );
});

test("`model.fit` is made resumable in at most ten lines", () => {
  const lines = readFileSync(join(SITE, "fit", "main.js"), "utf8").split("\n");
  const added = lines.filter((line) => line.includes("// +"));
  // A line that concerns us and is not marked would not be counted.
  const ours = lines.filter((line) =>
    /from "holdfast|openStore|layersModel|trainer\.fit|run\.finish|store\./.test(line),
  );
  expect(added.length).toBeLessThanOrEqual(10);
  expect(ours.filter((line) => !added.includes(line))).toEqual([]);
});

test("its types hold for a page's compiler, the strictest one", { timeout: 90_000 }, () => {
  copyFileSync(join(ROOT, "tests", "library", "consumer.ts"), join(SITE, "consumer.mts"));
  const compilerOptions = {
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    target: "es2023",
    lib: ["es2023", "dom"],
    types: [],
    module: "nodenext",
  };
  writeFileSync(join(SITE, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.mts"] }));
  const { stdout } = spawnSync(process.execPath, [tool("typescript/bin/tsc"), "-p", SITE], {
    encoding: "utf8",
  });
  // Libraries of others are checked as well: only what concerns us counts.
  expect(stdout.split("\n").filter((line) => /consumer|holdfast|tsconfig/.test(line))).toEqual([]);
});
