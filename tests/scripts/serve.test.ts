import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serve, type Served } from "../../scripts/lib/serve.mjs";

let folder: string;
let served: Served;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "holdfast-serve-"));
  folder = join(root, "public");
  await mkdir(join(folder, "assets"), { recursive: true });
  await writeFile(join(root, "secret.txt"), "secret");
  await writeFile(join(folder, "index.html"), "<title>x</title>");
  await writeFile(join(folder, "assets", "zstd.wasm"), "wasm");
  served = await serve(folder, { prefix: "/deep/path/" });
});

afterAll(async () => {
  await served.close();
  await rm(join(folder, ".."), { recursive: true });
});

/** As it stands, without the clean-up of `..` that `fetch` does. */
function statusOf(path: string, method = "GET"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port: served.port, path, method }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once("error", reject)
      .end();
  });
}

test("serves the folder under its prefix, with types and policy", async () => {
  const page = await fetch(served.url);
  expect(await page.text()).toBe("<title>x</title>");
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  const wasm = await fetch(`${served.url}assets/zstd.wasm`);
  expect(wasm.headers.get("content-type")).toBe("application/wasm");
});

test.each([
  ["a file that is not there", "/deep/path/none.js", 404],
  ["a folder", "/deep/path/assets", 404],
  ["an address outside the prefix", "/index.html", 404],
  ["a way out of the folder", "/deep/path/../secret.txt", 404],
  ["an encoded way out", "/deep/path/%2e%2e%2fsecret.txt", 404],
  ["an encoded way out with backslashes", "/deep/path/..%5csecret.txt", 404],
  ["a broken encoding", "/deep/path/%zz", 404],
])("%s is not served", async (_name, path, status) => {
  expect(await statusOf(path)).toBe(status);
});

test("a build that is made meanwhile takes nothing away", async () => {
  const other = await mkdtemp(join(tmpdir(), "holdfast-rebuilt-"));
  await writeFile(join(other, "chunk-1.js"), "1");
  const server = await serve(other);
  await rm(other, { recursive: true });
  expect(await (await fetch(`${server.url}chunk-1.js`)).text()).toBe("1");
  await server.close();
});

test("only reading is allowed", async () => {
  expect(await statusOf("/deep/path/", "POST")).toBe(405);
});

test("the next free port is taken", async () => {
  const second = await serve(folder, { port: served.port });
  expect(second.port).toBeGreaterThan(served.port);
  await second.close();
});
