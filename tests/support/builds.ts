/** A site that can be taken from the network, and that a newer build of the page can come to. */
import { join } from "node:path";
import { build } from "vite";
import { ensureBuilt } from "../../scripts/lib/build.mjs";
import { ROOT } from "../../scripts/lib/process.mjs";
import { serve, type Served } from "../../scripts/lib/serve.mjs";

/** The version that the newer build says it has. */
export const NEXT_VERSION = "99.0.0";

/** The app once more, from the same sources but for the version: other bytes, other names. `name`: of its folder. */
export async function buildNext(name: string): Promise<string> {
  const folder = join(ROOT, ".cache", name);
  // Vite goes by it, and a test runner has set another one.
  process.env["NODE_ENV"] = "production";
  await build({
    root: ROOT,
    logLevel: "error",
    build: {
      outDir: folder,
      emptyOutDir: true,
      rolldownOptions: { output: { chunkFileNames: "assets/next-[name]-[hash].js" } },
    },
    plugins: [
      {
        name: "next-version",
        transform: (_code, id) =>
          id.endsWith("/src/version.ts") ? `export const VERSION = ${JSON.stringify(NEXT_VERSION)};` : null,
      },
    ],
  });
  return folder;
}

export class Site {
  readonly url: string;
  readonly #port: number;
  #served: Served | null;

  private constructor(served: Served) {
    this.url = served.url;
    this.#port = served.port;
    this.#served = served;
  }

  static async open(): Promise<Site> {
    return new Site(await serve(await ensureBuilt()));
  }

  /** No request is answered any more. */
  async close(): Promise<void> {
    await this.#served?.close();
    this.#served = null;
  }

  /** Another build at the same address; of the one before, nothing is left there. */
  async put(folder: string): Promise<void> {
    await this.close();
    this.#served = await serve(folder, { port: this.#port });
    if (this.#served.port !== this.#port) throw new Error("Somebody else took the port meanwhile.");
  }
}
