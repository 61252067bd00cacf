/**
 * The files of one build of the page, kept in this browser: fetched whole or not at all, handed out by name, and
 * mended from the network where they are damaged or gone.
 *
 * Each version has a cache of its own. An older one stays for as long as a page runs from it: that page loads parts
 * of itself when they are first needed, and the server may no longer have them.
 */

/** A file's address, relative to the page, and the SHA-256 of its bytes as hex. The page itself is `./`. */
export type BuiltFiles = Readonly<Record<string, string>>;

export interface Build {
  /** Other files, other version. */
  readonly version: string;
  readonly files: BuiltFiles;
}

export interface Platform {
  readonly caches: Pick<CacheStorage, "open" | "keys" | "delete">;
  readonly fetch: (request: Request) => Promise<Response>;
  /** Addresses of scripts that open pages were started from; null while a page has not told yet. */
  readonly startedFrom: () => Promise<readonly string[] | null>;
  /** Does a newer version arrive, or wait? */
  readonly isSucceeded: () => boolean;
}

const PAGE = "./";
/** What builds put here has a name of its own in each of them. */
const NAMED_BY_CONTENT = "assets/";

export class Versions {
  readonly #scope: string;
  readonly #build: Build;
  readonly #platform: Platform;
  #mending: Promise<void> | null = null;

  /** `scope`: the folder of the page, with a slash at its end. */
  constructor(scope: string, build: Build, platform: Platform) {
    this.#scope = scope;
    this.#build = build;
    this.#platform = platform;
  }

  /** Is it one of ours to answer? All else goes to the network untouched. */
  concerns({ method, mode, url, headers }: Pick<Request, "method" | "mode" | "url" | "headers">): boolean {
    const path = this.#pathOf(url);
    if (method !== "GET" || headers.has("range") || path === null) return false;
    if (mode === "navigate") return this.isPage(url);
    return path in this.#build.files || path.startsWith(NAMED_BY_CONTENT);
  }

  isPage(url: string): boolean {
    return this.#pathOf(url) === PAGE;
  }

  /** Fetches what is not there yet. Rejects, and can be tried again, where a file is not that of this build. */
  async install(): Promise<void> {
    const cache = await this.#platform.caches.open(this.#nameOf(this.#build.version));
    const done = await Promise.allSettled(
      Object.entries(this.#build.files).map(async ([path, digest]) => {
        const url = this.#urlOf(path);
        if ((await whole(await cache.match(url), digest)) !== null) return;
        const kept = path.startsWith(NAMED_BY_CONTENT)
          ? await whole(await this.#olderFile(url), digest)
          : null;
        // Past the browser's own cache, which may hold the file of another build under this name.
        const fetched = kept ?? (await this.#platform.fetch(new Request(url, { cache: "no-cache" })));
        const response = await whole(fetched, digest);
        if (response === null) throw new Error(`${url} is not the file that this version was built with.`);
        await cache.put(url, response);
      }),
    );
    // Told when all have ended: what came is kept for the next attempt.
    const failed = done.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** From what is kept, or else from the network. */
  async answer(request: Request): Promise<Response> {
    const path = this.#pathOf(request.url) ?? "";
    const digest = this.#build.files[path];
    if (digest === undefined)
      return (await this.#olderFile(request.url)) ?? (await this.#platform.fetch(request));
    const cache = await this.#platform.caches.open(this.#nameOf(this.#build.version));
    const kept = await whole(await cache.match(this.#urlOf(path)), digest);
    if (kept !== null) return kept;
    void this.#mend();
    return this.#platform.fetch(request);
  }

  /** Ends with the mending that is under way, if one is. */
  async mended(): Promise<void> {
    await this.#mending;
  }

  /** Drops every older version that no page runs from. */
  async sweep(): Promise<void> {
    const { caches, startedFrom, isSucceeded } = this.#platform;
    const others = await this.#others();
    const started = await startedFrom();
    // What arrives or waits is no older version.
    if (started === null || isSucceeded()) return;
    for (const name of others) {
      const cache = await caches.open(name);
      const used = await Promise.all(started.map((url) => cache.match(url)));
      if (used.every((file) => file === undefined)) await caches.delete(name);
    }
  }

  /** Once for all requests that find something missing. What cannot be mended now is tried with the next one. */
  #mend(): Promise<void> {
    this.#mending ??= this.install()
      .catch(() => undefined)
      .finally(() => (this.#mending = null));
    return this.#mending;
  }

  async #olderFile(url: string): Promise<Response | undefined> {
    for (const name of await this.#others()) {
      const cache = await this.#platform.caches.open(name);
      const file = await cache.match(url);
      if (file !== undefined) return file;
    }
    return undefined;
  }

  async #others(): Promise<readonly string[]> {
    const own = this.#nameOf(this.#build.version);
    const names = await this.#platform.caches.keys();
    return names.filter((name) => name.startsWith(this.#nameOf("")) && name !== own);
  }

  /** Caches are the whole site's, which may have several pages like this one. */
  #nameOf(version: string): string {
    return `holdfast ${this.#scope} ${version}`;
  }

  #urlOf(path: string): string {
    return new URL(path, this.#scope).href;
  }

  /** Relative to the page; null outside of its folder. */
  #pathOf(url: string): string | null {
    const { origin, pathname } = new URL(url);
    const address = origin + pathname;
    if (!address.startsWith(this.#scope)) return null;
    const path = address.slice(this.#scope.length);
    return path === "" || path === "index.html" ? PAGE : path;
  }
}

/** The response with all its bytes, if they are the ones that were meant. */
async function whole(response: Response | undefined, digest: string): Promise<Response | null> {
  if (response?.ok !== true) return null;
  const { status, headers } = response;
  const bytes = await response.arrayBuffer().catch(() => null);
  if (bytes === null || (await sha256(bytes)) !== digest) return null;
  // Made anew, because one that came by a redirect may not answer for a page.
  return new Response(bytes, { status, headers });
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
