/** WebAssembly out of the sources in `assembly/`, as the TypeScript module that carries it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT, runNode, tool } from "./process.mjs";

const TIMEOUT_MS = 120_000;
/** Of 64 KiB each; the module says where its own data ends, and `src/format/planes.ts` what it puts behind. */
const PAGES = "80";

export const PLANES_MODULE = join(ROOT, "src/format/planes-wasm.ts");

/** The text of `PLANES_MODULE`. The same source and compiler give the same bytes on every machine. */
export async function compilePlanes() {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-assembly-"));
  const out = join(folder, "planes.wasm");
  try {
    const { code } = await runNode(
      [
        tool("assemblyscript/bin/asc.js"),
        "assembly/index.ts",
        ...["--outFile", out, "--runtime", "stub", "--use", "abort=", "--noAssert", "-O3"],
        ...[
          "--enable",
          "simd",
          "--enable",
          "bulk-memory",
          "--initialMemory",
          PAGES,
          "--maximumMemory",
          PAGES,
        ],
      ],
      { timeoutMs: TIMEOUT_MS },
    );
    if (code !== 0) throw new Error("assembly/ does not compile.");
    const base64 = (await readFile(out)).toString("base64");
    return `/** \`assembly/\` compiled by \`npm run assembly\`, in base64. */\nexport const PLANES_WASM =\n  "${base64}";\n`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
