/**
 * One person's browser for the drill of the real store: pages that save, deaths, and what is there afterwards beside
 * what was acknowledged.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Acknowledged } from "../../bench/pages/store";
import type { Ended, Gate, Report, Training } from "../../bench/pages/store.worker";
import { RawBrowser, type RawPage } from "./raw-browser";

/** What may be gone. */
export interface Allowance {
  /** Bytes of packs were changed on the disk: what is gone is named. */
  readonly damaged?: boolean;
  /** The catalogue was: nothing is gone, and what an older one lists and is not there any more is named. */
  readonly older?: boolean;
}

export class Site {
  readonly profile: string;
  readonly #url: string;
  #browser: RawBrowser;
  #page: RawPage | null = null;
  /** By run, over all pages: what has to be there. */
  readonly #acknowledged = new Map<string, number>();

  private constructor(profile: string, url: string) {
    this.profile = profile;
    this.#url = url;
    this.#browser = RawBrowser.launch(profile);
  }

  static async launch(url: string): Promise<Site> {
    return new Site(await mkdtemp(join(tmpdir(), "holdfast-store-")), url);
  }

  get browser(): RawBrowser {
    return this.#browser;
  }

  get origin(): string {
    return new URL(this.#url).origin;
  }

  get page(): StorePage {
    if (this.#page === null) throw new Error("There is no page: call open() first.");
    return new StorePage(this.#page);
  }

  /** How many checkpoints, of all runs, were said to be saved. */
  get promised(): number {
    return [...this.#acknowledged.values()].reduce((sum, step) => sum + step + 1, 0);
  }

  /** A page whose store is open; its report. */
  async open(gate: Gate | null = null): Promise<Report> {
    // One that crashed, say.
    await this.closePage();
    this.#page = await this.newPage();
    return this.page.open(gate);
  }

  /** One more page, whose store is not open yet. */
  async newPage(): Promise<RawPage> {
    const page = await this.#browser.open(this.#url);
    await page.until("globalThis.store");
    return page;
  }

  async closePage(): Promise<void> {
    await this.#page?.close();
    this.#page = null;
  }

  relaunch(): void {
    this.#page = null;
    this.#browser = RawBrowser.launch(this.profile);
  }

  /** Adds what a page was told. */
  promise(told: Acknowledged): void {
    for (const [run, step] of Object.entries(told))
      this.#acknowledged.set(run, Math.max(step, this.#acknowledged.get(run) ?? 0));
  }

  /** After the person has deleted the run. */
  withdraw(run: string): void {
    this.#acknowledged.delete(run);
  }

  /** After the person has cleared the site's data. */
  forget(): void {
    this.#acknowledged.clear();
  }

  get runs(): readonly string[] {
    return [...this.#acknowledged.keys()];
  }

  /** What is wrong with a report; null where nothing is. */
  faultIn(
    { mode, runs, recovery }: Report,
    { damaged = false, older = false }: Allowance = {},
  ): string | null {
    if (mode !== "opfs") return `the store is in ${mode}`;
    for (const { run, wrong } of runs)
      if (wrong.length > 0) return `${run}: ${wrong.join("; ")} came back as something else`;
    const named = recovery.lost.length > 0 || runs.some((run) => run.damaged.length > 0);
    for (const [run, step] of this.#acknowledged) {
      const found = runs.find((one) => one.run === run);
      const newest = Math.max(-1, ...(found?.whole ?? []));
      if (newest >= step && (damaged || older || found?.damaged.length === 0)) continue;
      if (damaged && named) continue;
      const why = [...recovery.lost, ...(found?.damaged ?? [])].join("; ");
      return `${run}: step ${step} was saved, and ${newest} is the newest that is whole. ${why}`;
    }
    return null;
  }

  /** Goes on with the newest run that has something whole: a next save has to work. */
  async faultInGoingOn({ runs }: Report, allowance: Allowance = {}): Promise<string | null> {
    for (const { run, whole } of runs.filter((one) => one.whole.length > 0).slice(0, 1)) {
      const after = await this.page.goOn(run);
      const newest = Math.max(-1, ...(after.runs.find((one) => one.run === run)?.whole ?? []));
      if (newest !== Math.max(...whole) + 3)
        return `${run} does not go on: ${newest} after ${Math.max(...whole)}`;
      this.promise({ [run]: newest });
      const fault = this.faultIn(after, allowance);
      if (fault !== null) return `after the next save, ${fault}`;
    }
    return null;
  }

  async close(): Promise<void> {
    await this.#browser.kill();
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

/** The page's own calls. */
export class StorePage {
  readonly #page: RawPage;

  constructor(page: RawPage) {
    this.#page = page;
  }

  open(gate: Gate | null = null): Promise<Report> {
    return this.#page.evaluate(`store.open(${JSON.stringify(gate)})`);
  }

  train(training: Training): Promise<void> {
    return this.#page.evaluate(`store.train(${JSON.stringify(training)})`);
  }

  wander(ms: number, seed: number): Promise<void> {
    return this.#page.evaluate(`store.wander(${ms}, ${seed})`);
  }

  goOn(run: string): Promise<Report> {
    return this.#page.evaluate(`store.goOn(${JSON.stringify(run)})`);
  }

  remove(run: string): Promise<void> {
    return this.#page.evaluate(`store.remove(${JSON.stringify(run)})`);
  }

  acknowledged(): Promise<Acknowledged> {
    return this.#page.evaluate("store.acknowledged()");
  }

  /** Resolves when the training has ended. */
  async ended(): Promise<Ended> {
    await this.#page.until("store.ended()");
    return this.#page.evaluate("store.ended()");
  }

  /** Resolves when something has been saved. */
  async saved(): Promise<void> {
    await this.#page.until("Object.keys(store.acknowledged()).length > 0 || store.ended()");
  }

  /** Resolves when the worker waits at its gate. */
  async atGate(): Promise<void> {
    await this.#page.until("store.atGate()");
  }

  passGate(): Promise<void> {
    return this.#page.evaluate("store.passGate()");
  }

  terminate(): Promise<void> {
    return this.#page.evaluate("store.terminate()");
  }

  send(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return this.#page.send(method, params);
  }

  activate(): Promise<void> {
    return this.#page.activate();
  }

  close(): Promise<void> {
    return this.#page.close();
  }
}
