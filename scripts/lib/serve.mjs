/**
 * A static file server for one folder, with the headers that the app should be served with. On 127.0.0.1 only:
 * nothing else may reach it, and it is a secure context there.
 *
 * The folder is read once, at the start: a build that is made meanwhile takes no file away from a page that is
 * open, and no request can name a file outside.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { text } from "node:stream/consumers";
import { HEADERS, POLICY_HEADER } from "./csp.mjs";

const HOST = "127.0.0.1";

/** @type {Readonly<Record<string, string>>} */
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/**
 * @typedef {object} Served
 * @property {string} url
 * @property {number} port
 * @property {() => Promise<void>} close
 *
 * @typedef {object} ServeOptions
 * @property {number} [port]
 * @property {string} [prefix]
 * @property {Readonly<Record<string, string>>} [headers]
 * @property {(report: string) => void} [onViolation] gets the browser's report, JSON
 */

const REPORT_PATH = "/policy-violation";

/** @param {Readonly<Record<string, string>>} headers @returns {Readonly<Record<string, string>>} */
function withReports(headers) {
  return { ...headers, [POLICY_HEADER]: `${headers[POLICY_HEADER]}; report-uri ${REPORT_PATH}` };
}

/**
 * Every file of `folder` by its address.
 *
 * @param {string} folder
 * @param {string} prefix
 */
function readFolder(folder, prefix) {
  /** @type {Map<string, { readonly type: string, readonly bytes: Buffer }>} */
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const address = prefix + path.slice(folder.length).replaceAll("\\", "/").replace(/^\//, "");
    const file = { type: TYPES[extname(path)] ?? "application/octet-stream", bytes: readFileSync(path) };
    files.set(address, file);
    if (entry.name === "index.html") files.set(address.slice(0, -entry.name.length), file);
  }
  return files;
}

/**
 * Serves `folder` under `prefix` (begins and ends with `/`). Port 0 takes any free one; otherwise the next free
 * one from `port` on is taken. With `onViolation` the browser is asked to report what the policy blocked, in page
 * and workers: no event tells a page about its workers.
 *
 * @param {string} folder
 * @param {ServeOptions} [options]
 * @returns {Promise<Served>}
 */
export async function serve(folder, { port = 0, prefix = "/", headers: plain = HEADERS, onViolation } = {}) {
  const headers = onViolation === undefined ? plain : withReports(plain);
  const files = readFolder(folder, prefix);
  const server = createServer((request, response) => {
    const path = pathOf(request.url ?? "/");
    if (onViolation !== undefined && path === REPORT_PATH) {
      void text(request).then(onViolation);
      response.writeHead(204).end();
      return;
    }
    const found = files.get(path ?? "");
    if (found === undefined || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(found === undefined ? 404 : 405, { ...headers, "Content-Type": "text/plain" });
      response.end();
      return;
    }
    response.writeHead(200, {
      ...headers,
      "Content-Type": found.type,
      "Content-Length": found.bytes.length,
      // The next start may serve another build at this address.
      "Cache-Control": "no-cache",
    });
    response.end(request.method === "HEAD" ? undefined : found.bytes);
  });
  const bound = await listen(server, port);
  return {
    url: `http://${HOST}:${bound}${prefix}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** @param {string} url */
function pathOf(url) {
  try {
    return decodeURIComponent(new URL(url, `http://${HOST}`).pathname);
  } catch {
    return undefined;
  }
}

/**
 * @param {import("node:http").Server} server
 * @param {number} port
 * @returns {Promise<number>}
 */
function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const taken = "code" in error && error.code === "EADDRINUSE";
      if (taken && port !== 0) listen(server, port + 1).then(resolve, reject);
      else reject(error);
    });
    server.listen(port, HOST, () => {
      server.removeAllListeners("error");
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("The server has no port."));
      else resolve(address.port);
    });
  });
}
