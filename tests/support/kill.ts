/**
 * A browser that can be killed, and the deaths that a training run must survive.
 *
 * Playwright's own launch owns its browser and ends it politely; here Chromium is started by hand, in a process
 * group of its own on a profile that outlives it, and Playwright only talks to it over CDP. So `SIGKILL` reaches
 * everything at once, and the next launch finds what a crash left on disk.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type Browser, type BrowserContext, type Page, type Worker } from "@playwright/test";
import { LAUNCH_ARGUMENTS, needBrowser } from "../../scripts/lib/browser.mjs";
import { guardGroup } from "../../scripts/lib/process.mjs";

interface RecordedWorker {
  readonly address: string;
  readonly worker: globalThis.Worker;
}

declare global {
  /** Workers that the page has started, newest last; recorded by the harness. */
  var __workers: readonly RecordedWorker[] | undefined;
}

const LAUNCH_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

export interface LiveOptions {
  /** A profile folder to use; otherwise a fresh one, which `close` removes. */
  readonly profile?: string;
  readonly args?: readonly string[];
  /** Launch arguments that it goes without: some cannot be overruled by others. */
  readonly without?: readonly string[];
  readonly viewport?: { readonly width: number; readonly height: number };
}

interface Running {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Lets go of what ends the browser when the tests are killed themselves. */
  readonly release: () => void;
  readonly browser: Browser;
  readonly context: BrowserContext;
  page: Page;
}

export class LiveBrowser {
  readonly profile: string;
  readonly #ownsProfile: boolean;
  readonly #options: LiveOptions;
  #running: Running | undefined;

  private constructor(profile: string, options: LiveOptions) {
    this.profile = profile;
    this.#ownsProfile = options.profile === undefined;
    this.#options = options;
  }

  static async launch(options: LiveOptions = {}): Promise<LiveBrowser> {
    const profile = options.profile ?? (await mkdtemp(join(tmpdir(), "holdfast-profile-")));
    const live = new LiveBrowser(profile, options);
    await live.relaunch();
    return live;
  }

  get #now(): Running {
    if (this.#running === undefined) throw new Error("The browser is not running: call relaunch() first.");
    return this.#running;
  }

  get browser(): Browser {
    return this.#now.browser;
  }

  get context(): BrowserContext {
    return this.#now.context;
  }

  get page(): Page {
    return this.#now.page;
  }

  /** Of the browser process; its process group has the same number. */
  get pid(): number {
    return this.#now.pid;
  }

  /** Starts the browser on the same profile, after a kill, and gives an empty page. */
  async relaunch(): Promise<Page> {
    if (this.#running !== undefined) await this.killBrowser();
    const child = spawn(
      needBrowser(),
      [
        "--headless=new",
        "--remote-debugging-port=0",
        `--user-data-dir=${this.profile}`,
        ...LAUNCH_ARGUMENTS.filter((argument) => this.#options.without?.includes(argument) !== true),
        ...(this.#options.args ?? []),
        "about:blank",
      ],
      { detached: true, stdio: ["ignore", "ignore", "pipe"] },
    );
    if (child.pid === undefined) throw new Error("The browser could not be started.");
    const { pid } = child;
    const release = guardGroup(pid, this.#ownsProfile ? this.profile : "");
    let browser: Browser;
    try {
      browser = await chromium.connectOverCDP(await debuggingAddress(child));
    } catch (error) {
      killGroup(pid);
      release();
      throw error;
    }
    const context = browser.contexts()[0];
    if (context === undefined) throw new Error("The browser has no default context.");
    await context.addInitScript(recordWorkers);
    // The page that the launch opened has no init script; a new one has.
    const page = await this.#openPage(context);
    for (const other of context.pages()) if (other !== page) await other.close();
    this.#running = { process: child, pid, release, browser, context, page };
    return page;
  }

  async #openPage(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    await page.setViewportSize(this.#options.viewport ?? { width: 1440, height: 900 });
    return page;
  }

  /** The whole browser at once, as by the system's out-of-memory killer. Nothing gets a chance to save. */
  async killBrowser(): Promise<void> {
    const { process: child, pid, release, browser } = this.#now;
    this.#running = undefined;
    const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    killGroup(pid);
    await exited;
    release();
    // Only frees Playwright's side of a connection that is dead already.
    await browser.close().catch(() => undefined);
  }

  /** SIGKILL for every renderer, and a new page: the old one shows "Aw, Snap". Returns how many died. */
  async killRenderers(): Promise<number> {
    const pids = await this.#processes("renderer");
    for (const pid of pids) process.kill(pid, "SIGKILL");
    // One of them was spare; a page that opens before the browser has noticed would be given to it.
    while ((await this.#processes("renderer")).some((pid) => pids.includes(pid))) await sleep(POLL_MS);
    await this.closePage();
    return pids.length;
  }

  /** SIGKILL for the GPU process. After the second within seconds a page gets no adapter until it reloads. */
  async killGpu(): Promise<number> {
    const pids = await this.#processes("GPU");
    for (const pid of pids) process.kill(pid, "SIGKILL");
    return pids.length;
  }

  /** Closes the page as a person closes a tab, and opens an empty one. */
  async closePage(): Promise<Page> {
    const { context, page } = this.#now;
    const next = await this.#openPage(context);
    await page.close();
    this.#now.page = next;
    return next;
  }

  /** Ends the browser, and removes the profile unless it was given. */
  async close(): Promise<void> {
    if (this.#running !== undefined) await this.killBrowser();
    if (this.#ownsProfile)
      await rm(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  async #processes(type: string): Promise<readonly number[]> {
    const session = await this.browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    return processInfo.filter((info) => info.type === type).map((info) => info.id);
  }
}

/**
 * Terminates the page's workers whose script's address contains `match`, behind the app's back: no event tells
 * the page. Returns how many.
 */
export function terminateWorkers(page: Page, match = ""): Promise<number> {
  return page.evaluate((text) => {
    const meant = (globalThis.__workers ?? []).filter(({ address }) => address.includes(text));
    for (const { worker } of meant) worker.terminate();
    return meant.length;
  }, match);
}

/**
 * Arms the loss of the GPU in each worker that has one: at the next `createBindGroup`, thus in the middle of a
 * step, the device destroys itself. Resolves with the number of devices armed.
 */
export async function loseDevices(page: Page, match = ""): Promise<number> {
  const armed = await Promise.all(
    page
      .workers()
      .filter((worker) => worker.url().includes(match))
      .map(armDeviceLoss),
  );
  return armed.filter(Boolean).length;
}

function armDeviceLoss(worker: Worker): Promise<boolean> {
  return worker.evaluate(() => {
    if (typeof GPUDevice === "undefined") return false;
    const original = GPUDevice.prototype.createBindGroup;
    GPUDevice.prototype.createBindGroup = function (descriptor) {
      GPUDevice.prototype.createBindGroup = original;
      this.destroy();
      return original.call(this, descriptor);
    };
    return true;
  });
}

/** Runs in the page before its own scripts. A worker that the app ends leaves the record. */
function recordWorkers(): void {
  globalThis.__workers = [];
  globalThis.Worker = class extends globalThis.Worker {
    constructor(address: string | URL, options?: WorkerOptions) {
      super(address, options);
      globalThis.__workers = [...(globalThis.__workers ?? []), { address: String(address), worker: this }];
    }
    override terminate(): void {
      super.terminate();
      globalThis.__workers = (globalThis.__workers ?? []).filter(({ worker }) => worker !== this);
    }
  };
}

/** SIGKILL for all processes of a browser at once. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** Chromium says on stderr where it listens. */
function debuggingAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const fail = (reason: string) => reject(new Error(`The browser ${reason}:\n${text.slice(-2000)}`));
    const timer = setTimeout(() => fail("did not say where it listens"), LAUNCH_TIMEOUT_MS);
    child.once("exit", () => fail("ended at once"));
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      // Read on for ever, or the pipe fills up and the browser stops; keep only what is needed.
      if (text.length < 20_000) text += chunk;
      const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
  });
}
