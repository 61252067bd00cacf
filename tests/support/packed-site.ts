/**
 * A site that uses the packed library as anybody would: `npm pack`, the tarball unpacked into `node_modules`, the examples
 * beside it. Nothing of it comes from the sources, and nothing from the network.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { buildPackage, packPackage } from "../../scripts/lib/package.mjs";
import { HEADERS, POLICY_HEADER } from "../../scripts/lib/csp.mjs";
import { ROOT, tool } from "../../scripts/lib/process.mjs";

export const SITE = join(ROOT, ".cache", "package", "site");

const BUILT = join(ROOT, ".cache", "package", "built");

/** Packs the library, and installs it and the examples into the site's folder. Returns the names of the tarball's files. */
export async function makeSite(): Promise<readonly string[]> {
  await buildPackage();
  const tarball = packPackage();
  rmSync(SITE, { recursive: true, force: true });
  const installed = join(SITE, "node_modules", "holdfast");
  mkdirSync(installed, { recursive: true });
  const { status, stderr } = spawnSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The tarball cannot be unpacked:\n${stderr}`);
  cpSync(join(ROOT, "examples"), SITE, { recursive: true });
  // What the examples use beside it comes from this checkout: a test has no network.
  symlinkSync(tool("@tensorflow"), join(SITE, "node_modules", "@tensorflow"));
  cpSync(tool("@jax-js"), join(SITE, "node_modules", "@jax-js"), { recursive: true });
  return readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1))
    .sort();
}

/** The examples as Vite builds them, without a setting of ours but the one that the policy asks for. */
export async function buildSite(examples: readonly string[]): Promise<string> {
  await build({
    configFile: false,
    root: SITE,
    logLevel: "error",
    build: {
      outDir: BUILT,
      emptyOutDir: true,
      minify: false,
      chunkSizeWarningLimit: 4000,
      rolldownOptions: { input: examples.map((name) => join(SITE, name, "index.html")) },
    },
  });
  return BUILT;
}

/** The app's own strict policy, but that the page's import map, which can only be inline, is named by its hash. */
export function headersFor(page: string): Readonly<Record<string, string>> {
  const html = readFileSync(join(SITE, page, "index.html"), "utf8");
  const inline = /<script type="importmap">([^]*?)<\/script>/.exec(html)?.[1];
  if (inline === undefined) return HEADERS;
  const hash = createHash("sha256").update(inline).digest("base64");
  return {
    ...HEADERS,
    [POLICY_HEADER]: HEADERS[POLICY_HEADER].replace("script-src", `script-src 'sha256-${hash}'`),
  };
}
