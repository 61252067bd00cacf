/**
 * A Firefox as its makers ship it, driven by WebDriver BiDi (w3c.github.io/webdriver-bidi): Playwright drives only a build of
 * its own. It loads a page, calls functions in it, and is killed; the profile outlives it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { guardGroup } from "../../scripts/lib/process.mjs";

const NAMES = ["firefox", "firefox-esr"];
const LAUNCH_TIMEOUT_MS = 60_000;

/** The path of a Firefox that is there: `FIREFOX_PATH`, or one on the path; undefined where there is none. */
export function findFirefox(): string | undefined {
  const named = process.env["FIREFOX_PATH"];
  if (named !== undefined && named !== "") return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) =>
    existsSync(path),
  );
}

/** What the protocol answers, as far as it is read here. */
interface Answer {
  readonly id?: number;
  readonly type: "success" | "error" | "event";
  readonly message?: string;
  readonly result?: {
    /** Of `browsingContext.getTree`. */
    readonly contexts?: readonly { readonly context: string }[];
    /** Of `script.evaluate`. */
    readonly result?: { readonly value?: string };
    readonly exceptionDetails?: { readonly text: string };
  };
}

interface Running {
  readonly process: ChildProcess;
  readonly release: () => void;
  readonly socket: WebSocket;
  readonly waiting: Map<number, (answer: Answer) => void>;
  /** The tab. */
  context: string;
}

export class Firefox {
  readonly #path: string;
  readonly #profile: string;
  #running: Running | null = null;
  #calls = 0;

  private constructor(path: string, profile: string) {
    this.#path = path;
    this.#profile = profile;
  }

  static async launch(path: string): Promise<Firefox> {
    const firefox = new Firefox(path, await mkdtemp(join(tmpdir(), "holdfast-firefox-")));
    await firefox.relaunch();
    return firefox;
  }

  async relaunch(): Promise<void> {
    const args = ["--headless", "--no-remote", "--profile", this.#profile, "--remote-debugging-port", "0"];
    const child = spawn(this.#path, args, { detached: true, stdio: ["ignore", "ignore", "pipe"] });
    const release = guardGroup(child.pid ?? 0);
    const address = await bidiAddress(child);
    const socket = new WebSocket(`${address}/session`);
    await once(socket, "open");
    const waiting: Running["waiting"] = new Map();
    socket.on("message", (data: Buffer) => {
      const answer = answerIn(data.toString());
      waiting.get(answer.id ?? -1)?.(answer);
      waiting.delete(answer.id ?? -1);
    });
    socket.on("close", () => {
      for (const answer of waiting.values()) answer({ type: "error", message: "Firefox has ended." });
      waiting.clear();
    });
    this.#running = { process: child, release, socket, waiting, context: "" };
    await this.#send("session.new", { capabilities: {} });
    const { contexts } = await this.#send("browsingContext.getTree", {});
    this.#running.context = contexts?.[0]?.context ?? "";
  }

  async version(): Promise<string> {
    return this.call(() => /Firefox\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent);
  }

  async open(url: string): Promise<void> {
    await this.#send("browsingContext.navigate", { context: this.#now.context, url, wait: "complete" });
    await this.#appIsThere();
  }

  /** As a person does: to go to the same address once more is not the same. */
  async reload(): Promise<void> {
    await this.#send("browsingContext.reload", { context: this.#now.context, wait: "complete" });
    await this.#appIsThere();
  }

  #appIsThere(): Promise<void> {
    return this.call(async () => {
      while (!("holdfast" in globalThis)) await new Promise((resolve) => setTimeout(resolve, 20));
    });
  }

  /** Calls it in the page; arguments and what it returns go as JSON. */
  async call<const A extends readonly unknown[], T>(
    work: (...args: A) => T | Promise<T>,
    ...args: A
  ): Promise<T> {
    const expression = `(async () => JSON.stringify({ it: await (${String(work)})(...${JSON.stringify(args)}) }))()`;
    const { context } = this.#now;
    const target = { context };
    const answer = await this.#send("script.evaluate", { expression, target, awaitPromise: true });
    if (answer.exceptionDetails !== undefined) throw new Error(answer.exceptionDetails.text);
    const returned: unknown = JSON.parse(answer.result?.value ?? "null");
    if (typeof returned !== "object" || returned === null) throw new Error("The page answers nothing.");
    // What returns nothing leaves no key.
    return ("it" in returned ? returned.it : undefined) as T;
  }

  /** All of its processes at once, as a crash does. */
  async kill(): Promise<void> {
    const { process: child, release } = this.#now;
    this.#running = null;
    const ended = once(child, "exit");
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await ended;
    release();
  }

  async close(): Promise<void> {
    if (this.#running !== null) await this.kill();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  get #now(): Running {
    if (this.#running === null) throw new Error("Firefox is not running: call relaunch() first.");
    return this.#running;
  }

  async #send(method: string, params: object): Promise<NonNullable<Answer["result"]>> {
    const { socket, waiting } = this.#now;
    this.#calls += 1;
    const id = this.#calls;
    const answer = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
    if (answer.type === "error") throw new Error(`${method}: ${answer.message ?? "no message"}`);
    return answer.result ?? {};
  }
}

/** It says on its standard error where it listens. */
async function bidiAddress(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error("Firefox has no standard error.");
  const lines = createInterface({ input: child.stderr });
  const found = new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`Firefox did not listen within ${LAUNCH_TIMEOUT_MS / 1000} s.`));
    }, LAUNCH_TIMEOUT_MS);
    lines.on("line", (line) => {
      const address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    });
  });
  return found;
}

function answerIn(text: string): Answer {
  const answer: unknown = JSON.parse(text);
  if (!isAnswer(answer)) throw new Error(`Firefox answers ${text.slice(0, 80)}`);
  return answer;
}

/** What each of them has; the rest is there or it is not. */
function isAnswer(value: unknown): value is Answer {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    ["success", "error", "event"].includes(String(value.type))
  );
}
