/** The files of a build as they are kept, handed out, mended and dropped, over caches in memory. */
import { beforeEach, expect, suite, test } from "vitest";
import { createHash } from "node:crypto";
import { Versions, type BuiltFiles } from "../../src/offline/versions";

const SCOPE = "https://example.test/holdfast/";
const OLD = { "./": "page 1", "assets/main-1.js": "main 1", "assets/same.js": "same" };
const NEW = { "./": "page 2", "assets/main-2.js": "main 2", "assets/same.js": "same" };

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

class MemoryCache {
  readonly files = new Map<string, Response>();
  match(url: string): Promise<Response | undefined> {
    return Promise.resolve(this.files.get(url)?.clone());
  }
  put(url: string, response: Response): Promise<void> {
    this.files.set(url, response);
    return Promise.resolve();
  }
}

/** What a browser and a server have; versions of the page come and go on it. */
class World {
  readonly stored = new Map<string, MemoryCache>();
  readonly asked: string[] = [];
  served: Readonly<Record<string, string>> = {};
  online = true;
  started: readonly string[] | null = [];
  succeeded = false;

  version(version: string, files: Readonly<Record<string, string>>): Versions {
    const digests: BuiltFiles = Object.fromEntries(
      Object.entries(files).map(([path, text]) => [path, sha256(text)]),
    );
    return new Versions(
      SCOPE,
      { version, files: digests },
      {
        caches: {
          open: (name) => {
            const cache = this.stored.get(name) ?? new MemoryCache();
            this.stored.set(name, cache);
            return Promise.resolve(cache as unknown as Cache);
          },
          keys: () => Promise.resolve([...this.stored.keys()]),
          delete: (name) => Promise.resolve(this.stored.delete(name)),
        },
        fetch: (request) => {
          const path = request.url === SCOPE ? "./" : request.url.slice(SCOPE.length);
          this.asked.push(path);
          if (!this.online) return Promise.reject(new TypeError("Failed to fetch"));
          const text = this.served[path];
          return Promise.resolve(new Response(text ?? "", { status: text === undefined ? 404 : 200 }));
        },
        startedFrom: () => Promise.resolve(this.started),
        isSucceeded: () => this.succeeded,
      },
    );
  }

  cache(version: string): MemoryCache | undefined {
    return this.stored.get(`holdfast ${SCOPE} ${version}`);
  }
}

function request(path: string, more: Partial<Pick<Request, "method" | "mode" | "headers">> = {}) {
  return { method: "GET", mode: "cors", url: SCOPE + path, headers: new Headers(), ...more } as const;
}

async function textOf(versions: Versions, path: string): Promise<string> {
  return (await versions.answer(new Request(SCOPE + path))).text();
}

let world: World;
let old: Versions;

beforeEach(async () => {
  world = new World();
  world.served = OLD;
  old = world.version("1", OLD);
  await old.install();
  world.asked.length = 0;
});

suite("what it answers for", () => {
  test.each([
    ["the page", request("", { mode: "navigate" })],
    ["the page by its file, with a query", request("index.html?x=1", { mode: "navigate" })],
    ["a file of this build", request("assets/main-1.js")],
    ["a file that an older build may have had", request("assets/main-0.js")],
  ])("%s", (_what, asked) => {
    expect(old.concerns(asked)).toBe(true);
  });

  test.each([
    ["a request that is no GET", request("assets/main-1.js", { method: "POST" })],
    ["a part of a file", request("assets/main-1.js", { headers: new Headers({ range: "bytes=0-1" }) })],
    ["another page in its folder", request("other.html", { mode: "navigate" })],
    ["a file that no build has", request("data.csv")],
    ["what lies outside of its folder", { ...request(""), url: "https://example.test/other/x.js" }],
    ["another site", { ...request(""), url: "https://elsewhere.test/holdfast/assets/main-1.js" }],
  ])("not %s", (_what, asked) => {
    expect(old.concerns(asked)).toBe(false);
  });
});

suite("without a network", () => {
  test("every file is there after the first visit", async () => {
    world.online = false;
    for (const [path, text] of Object.entries(OLD)) expect(await textOf(old, path)).toBe(text);
    expect(await textOf(old, "index.html")).toBe("page 1");
    expect(world.asked).toEqual([]);
  });

  test("and none without one", async () => {
    world.stored.clear();
    world.online = false;
    await expect(old.answer(new Request(SCOPE))).rejects.toThrow("Failed to fetch");
  });
});

suite("a version is installed whole or not at all", () => {
  test("a host that is half way to another build", async () => {
    const next = world.version("2", NEW);
    world.served = { ...NEW, "./": "page 1" };
    await expect(next.install()).rejects.toThrow("is not the file that this version was built with");
    // Tried again, it takes up where it was, and fetches nothing twice.
    world.served = NEW;
    world.asked.length = 0;
    await next.install();
    expect(world.asked).toEqual(["./"]);
  });

  test("a file with the same name and bytes comes from the version before it", async () => {
    world.served = NEW;
    await world.version("2", NEW).install();
    expect(world.asked.sort()).toEqual(["./", "assets/main-2.js"]);
  });
});

suite("a cache that is damaged or incomplete", () => {
  test.each([
    ["damaged", (cache: MemoryCache) => cache.put(`${SCOPE}assets/main-1.js`, new Response("mai"))],
    ["gone", async (cache: MemoryCache) => cache.files.delete(`${SCOPE}assets/main-1.js`)],
  ])("a file that is %s comes from the network, and is mended", async (_what, harm) => {
    await harm(world.cache("1")!);
    expect(await textOf(old, "assets/main-1.js")).toBe("main 1");
    await old.mended();
    world.online = false;
    expect(await textOf(old, "assets/main-1.js")).toBe("main 1");
  });

  test("all that is missing is mended at once, though one file is asked for", async () => {
    world.stored.clear();
    await old.answer(new Request(`${SCOPE}assets/same.js`));
    await old.mended();
    world.online = false;
    for (const [path, text] of Object.entries(OLD)) expect(await textOf(old, path)).toBe(text);
  });

  test("where the server has only a newer build, that one is handed out and not kept for this one", async () => {
    world.cache("1")!.files.clear();
    world.served = NEW;
    expect(await textOf(old, "")).toBe("page 2");
    await old.mended();
    expect(await world.cache("1")!.match(SCOPE)).toBeUndefined();
  });
});

suite("two versions", () => {
  let next: Versions;
  beforeEach(async () => {
    world.served = NEW;
    next = world.version("2", NEW);
    await next.install();
    world.asked.length = 0;
  });

  test("the new one hands the files of the old one to pages that were started from it", async () => {
    expect(await textOf(next, "assets/main-1.js")).toBe("main 1");
    expect(world.asked).toEqual([]);
  });

  test("the old one stays for as long as a page runs from it", async () => {
    world.started = [`${SCOPE}assets/main-1.js`, `${SCOPE}assets/main-2.js`];
    await next.sweep();
    expect(world.cache("1")).toBeDefined();
    world.started = [`${SCOPE}assets/main-2.js`];
    await next.sweep();
    expect(world.cache("1")).toBeUndefined();
    expect(world.cache("2")).toBeDefined();
  });

  test("nothing is dropped while a page has not told what it runs from", async () => {
    world.started = null;
    await next.sweep();
    expect(world.cache("1")).toBeDefined();
  });

  test("the old one drops no version that waits", async () => {
    world.succeeded = true;
    await old.sweep();
    expect(world.cache("2")).toBeDefined();
  });

  test("caches of others are left alone", async () => {
    for (const name of ["theirs", "holdfast https://example.test/other/ 1"])
      world.stored.set(name, new MemoryCache());
    await next.sweep();
    expect([...world.stored.keys()]).toEqual(
      expect.arrayContaining(["theirs", "holdfast https://example.test/other/ 1"]),
    );
  });
});
