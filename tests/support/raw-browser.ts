/**
 * A browser over the bare DevTools protocol, for what Playwright hides: a page that can be hidden and frozen, targets
 * that crash, and processes by their numbers. It runs in a process group of its own, on a profile that outlives it.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { LAUNCH_ARGUMENTS, needBrowser } from "../../scripts/lib/browser.mjs";
import { guardGroup } from "../../scripts/lib/process.mjs";
import { killGroup } from "./kill";

type Answer = Readonly<Record<string, unknown>>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** Longer than a browser lets a frozen page's transaction keep all others waiting, which is a minute. */
const CALL_TIMEOUT_MS = 150_000;
const POLL_MS = 10;

export class RawBrowser {
  readonly #child: ChildProcess;
  readonly #pid: number;
  readonly #release: () => void;
  readonly #toBrowser: Writable;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  private constructor(child: ChildProcess, pid: number, profile: string) {
    this.#child = child;
    this.#pid = pid;
    this.#release = guardGroup(pid, profile);
    this.#toBrowser = child.stdio[3] as Writable;
    // A browser that was killed no longer reads.
    this.#toBrowser.on("error", () => undefined);
    this.#listen(child.stdio[4] as Readable);
    child.once("exit", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("The browser has ended."));
      this.#waiting.clear();
    });
  }

  /** Starts on this profile, which is left behind at the end. */
  static launch(profile: string): RawBrowser {
    const child = spawn(
      needBrowser(),
      [
        "--headless=new",
        "--remote-debugging-pipe",
        `--user-data-dir=${profile}`,
        ...LAUNCH_ARGUMENTS,
        "about:blank",
      ],
      { detached: true, stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
    );
    if (child.pid === undefined) throw new Error("The browser could not be started.");
    return new RawBrowser(child, child.pid, "");
  }

  async open(url: string): Promise<RawPage> {
    const { targetId } = await this.send("Target.createTarget", { url });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    return new RawPage(this, String(targetId), String(sessionId));
  }

  send(method: string, params: Answer = {}, sessionId?: string): Promise<Answer> {
    const id = ++this.#calls;
    const answer = new Promise<Answer>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#toBrowser.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const late = AbortSignal.timeout(CALL_TIMEOUT_MS);
    late.addEventListener("abort", () => {
      this.#waiting.get(id)?.reject(new Error(`The browser does not answer ${method}.`));
      this.#waiting.delete(id);
    });
    return answer;
  }

  /** Process numbers of this kind: "renderer", "GPU". */
  async processes(type: string): Promise<readonly number[]> {
    const { processInfo } = await this.send("SystemInfo.getProcessInfo");
    return (processInfo as readonly { readonly type: string; readonly id: number }[])
      .filter((info) => info.type === type)
      .map(({ id }) => id);
  }

  /** SIGKILL for all processes at once. */
  async kill(): Promise<void> {
    const ended =
      this.#child.exitCode === null && this.#child.signalCode === null ? once(this.#child, "exit") : null;
    killGroup(this.#pid);
    await ended;
    this.#release();
  }

  /** Ends it as a person does, so that everything is written. */
  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    await this.send("Browser.close").catch(() => undefined);
    await Promise.race([ended, sleep(10_000)]);
    await this.kill();
  }

  #listen(from: Readable): void {
    let text = "";
    from.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const parts = text.split("\0");
      text = parts.pop() ?? "";
      for (const part of parts) this.#answered(answerIn(part));
    });
  }

  #answered({ id, result, error }: Answer): void {
    const waiting = this.#waiting.get(Number(id));
    if (waiting === undefined) return;
    this.#waiting.delete(Number(id));
    if (error === undefined) waiting.resolve((result ?? {}) as Answer);
    else waiting.reject(new Error(String((error as Answer)["message"])));
  }
}

/** The browser's own words: an object, or the protocol is broken. */
function answerIn(text: string): Answer {
  const answer: unknown = JSON.parse(text);
  if (typeof answer !== "object" || answer === null)
    throw new Error(`The browser answers ${text.slice(0, 80)}`);
  return { ...answer };
}

export class RawPage {
  readonly #browser: RawBrowser;
  readonly #target: string;
  readonly #session: string;

  constructor(browser: RawBrowser, target: string, session: string) {
    this.#browser = browser;
    this.#target = target;
    this.#session = session;
  }

  /** Of this page; `Page.…`, `Runtime.…`. */
  send(method: string, params: Answer = {}): Promise<Answer> {
    return this.#browser.send(method, params, this.#session);
  }

  /** What an expression comes to, awaited, as JSON. */
  async evaluate<Result>(expression: string): Promise<Result> {
    const answer = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    const failed = answer["exceptionDetails"] as
      { readonly text: string; readonly exception?: { readonly description?: string } } | undefined;
    if (failed !== undefined) throw new Error(failed.exception?.description ?? failed.text);
    return (answer["result"] as { readonly value: Result }).value;
  }

  /** Waits until the expression is true. */
  async until(expression: string): Promise<void> {
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`).catch(() => false))) await sleep(POLL_MS);
  }

  /** Brings it to the front, and with that hides all others. */
  async activate(): Promise<void> {
    await this.#browser.send("Target.activateTarget", { targetId: this.#target });
  }

  async close(): Promise<void> {
    await this.#browser.send("Target.closeTarget", { targetId: this.#target });
  }
}
