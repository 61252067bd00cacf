/**
 * What a bench or a drill is given.
 *
 * @typedef {object} RunContext
 * @property {ReadonlyMap<string, string>} options `--key value` of the command line
 * @property {() => Promise<string>} app address of the built app, built and served when first asked for
 * @property {() => Promise<string>} madeUp address of the app over made-up runs, likewise
 * @property {(name: string) => Promise<string>} page address of `bench/pages/NAME.html`, likewise
 * @property {() => Promise<import("@playwright/test").Browser>} browser started when first asked for
 * @property {(line: string) => void} log
 *
 * @typedef {object} BenchResult
 * @property {string} adapter what it ran on: vendor and architecture of the GPU
 * @property {Readonly<Record<string, number>>} results by key; a unit stands in the key, as in `stall_p95_ms`
 *
 * @typedef {object} DrillResult
 * @property {number} done
 * @property {number} asked
 */
import { chromium } from "@playwright/test";
import { LAUNCH_ARGUMENTS, needBrowser } from "./browser.mjs";
import { ensureBenchPages, ensureBuilt, ensureMadeUpPage } from "./build.mjs";
import { HEADERS, POLICY_HEADER } from "./csp.mjs";
import { serve } from "./serve.mjs";

/** The app's, and what other libraries need that are measured beside it: some make code from strings. */
const BENCH_HEADERS = {
  ...HEADERS,
  [POLICY_HEADER]: HEADERS[POLICY_HEADER].replace("'wasm-unsafe-eval'", "'wasm-unsafe-eval' 'unsafe-eval'"),
};

/** Makes a value once, when first asked for. @template T @param {() => Promise<T>} make */
function lazy(make) {
  /** @type {Promise<T> | undefined} */
  let made;
  return {
    get: () => (made ??= make()),
    /** @param {(value: T) => Promise<void>} end */
    async end(end) {
      if (made !== undefined) await end(await made);
    },
  };
}

/**
 * Runs `body` with a context, and ends afterwards whatever it started.
 *
 * @template T
 * @param {ReadonlyMap<string, string>} options
 * @param {(context: RunContext) => Promise<T>} body
 * @returns {Promise<T>}
 */
export async function withContext(options, body) {
  const app = lazy(async () => serve(await ensureBuilt()));
  const madeUp = lazy(async () => serve(await ensureMadeUpPage()));
  const pages = lazy(async () => serve(await ensureBenchPages(), { headers: BENCH_HEADERS }));
  const browser = lazy(() => chromium.launch({ executablePath: needBrowser(), args: LAUNCH_ARGUMENTS }));
  try {
    return await body({
      options,
      app: async () => (await app.get()).url,
      madeUp: async () => `${(await madeUp.get()).url}tests/support/ui.html`,
      page: async (name) => `${(await pages.get()).url}bench/pages/${name}.html`,
      browser: browser.get,
      log: (line) => process.stdout.write(`${line}\n`),
    });
  } finally {
    await browser.end((value) => value.close());
    await app.end((value) => value.close());
    await madeUp.end((value) => value.close());
    await pages.end((value) => value.close());
  }
}
