/** What the page does while nobody looks at it, over made-up runs in a real page: title, icon, notifications, wake lock. */
import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, suite, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import App from "../../src/ui/App.svelte";
import { settings } from "../../src/ui/settings-state.svelte";
import type { RunEventBody } from "../../src/format/run";
import type { HoldfastEvent, LiveRun } from "../../src/worker/api";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

/** Trains at step 1240 of 5000. */
const RUN = "shakespeareslower";

class Scripted extends FakeHoldfast {
  readonly heard = new Set<(event: HoldfastEvent) => void>();
  here = true;
  constructor() {
    super("full", { ticking: false });
  }
  override subscribe(listener: (event: HoldfastEvent) => void): () => void {
    this.heard.add(listener);
    return () => this.heard.delete(listener);
  }
  override live(run: string): LiveRun | null {
    const live = super.live(run);
    return live && { ...live, here: this.here };
  }
  tell(event: HoldfastEvent): void {
    for (const listener of this.heard) listener(event);
    flushSync();
  }
  happens(body: RunEventBody, step = 1240): void {
    this.tell({ kind: "event", run: RUN, event: { seq: 90, step, time: Date.now(), ...body } });
  }
}

interface Notified {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly click: () => void;
}

let app: ReturnType<typeof mount>;
let api: Scripted;
let shown: Notified[];
let hidden: boolean;
/** Of the page that the tests run in. */
const ownIcon = icon();

function look(away: boolean): void {
  hidden = away;
  document.dispatchEvent(new Event("visibilitychange"));
  flushSync();
}

function icon(): string {
  return document.querySelector<HTMLLinkElement>('link[rel="icon"]')!.href;
}

beforeEach(async () => {
  await page.viewport(1440, 900);
  shown = [];
  hidden = false;
  vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
  class MadeUp extends EventTarget {
    static readonly permission = "granted";
    constructor(title: string, { body = "", tag = "" }: NotificationOptions) {
      super();
      shown.push({ title, body, tag, click: () => this.dispatchEvent(new Event("click")) });
    }
    close(): void {}
  }
  vi.stubGlobal("Notification", MadeUp);
  location.hash = "#/health";
  api = new Scripted();
  app = mount(App, { target: document.body, props: { api } });
  // The part in question comes after the page, in a file of its own.
  await vi.waitUntil(() => api.heard.size === 2 && icon().startsWith("data:"));
});

afterEach(async () => {
  await unmount(app);
  settings.reset();
  location.hash = "";
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function progress(step: number): HoldfastEvent {
  const counts = { step, steps: 5000, stepsPerSecond: 10, savesSkipped: 0 };
  return { kind: "progress", run: RUN, ...counts, rows: null, interval: null };
}

suite("title and icon", () => {
  test("show how far the run is that trains, and nothing once it rests", async () => {
    expect(document.title).toBe("24 % · Health · Holdfast");
    expect(decodeURIComponent(icon())).toContain('"24 100"');
    api.tell(progress(2499));
    expect(document.title).toBe("49 % · Health · Holdfast");
    api.tell(progress(2500));
    expect(document.title).toBe("50 % · Health · Holdfast");
    expect(decodeURIComponent(icon())).toContain('"50 100"');
    await api.pause(RUN);
    api.tell({ kind: "status", run: RUN, status: "paused" });
    expect(document.title).toBe("Health · Holdfast");
    expect(icon()).toBe(ownIcon);
  });

  test("the icon shows what went wrong while nobody looked, until somebody does", () => {
    const calm = icon();
    api.happens({ kind: "trouble", code: "bad-numbers", message: "NaN" });
    // On the page it says so itself.
    expect(icon()).toBe(calm);
    look(true);
    api.happens({ kind: "trouble", code: "bad-numbers", message: "NaN" });
    expect(icon()).not.toBe(calm);
    look(false);
    expect(icon()).toBe(calm);
  });
});

suite("a notification", () => {
  beforeEach(() => {
    settings.change({ notifyEnd: true, notifyTrouble: true });
  });

  test("tells a hidden page's person that a run ended; a click leads to the run", () => {
    look(true);
    api.happens({ kind: "finished" }, 5000);
    expect(shown).toMatchObject([
      { title: "Shakespeare, slower rate", body: "Finished at step 5,000.", tag: `${RUN} end` },
    ]);
    shown[0]!.click();
    expect(location.hash).toBe(`#/run/${RUN}`);
  });

  test("is not shown to somebody who looks", () => {
    api.happens({ kind: "finished" });
    expect(shown).toEqual([]);
  });

  test("comes from the tab that trains the run, and from no other", () => {
    look(true);
    api.here = false;
    api.happens({ kind: "finished" });
    expect(shown).toEqual([]);
  });

  test.each([
    ["ends", { notifyEnd: false }, { kind: "finished" }],
    ["trouble", { notifyTrouble: false }, { kind: "trouble", code: "bad-numbers", message: "NaN" }],
  ] as const)("of %s that nobody wants is none", (_what, unwanted, event) => {
    settings.change(unwanted);
    look(true);
    api.happens(event);
    expect(shown).toEqual([]);
  });

  test("of saves that fail for one reason comes once, until one succeeds", async () => {
    look(true);
    const failed = { kind: "save-failed", run: RUN, what: "losses", step: 1240, code: "quota" } as const;
    const [checkpoint] = await api.checkpoints(RUN);
    for (let time = 0; time < 3; time += 1) api.tell({ ...failed, message: "The disk is full." });
    expect(shown).toHaveLength(1);
    api.tell({ kind: "saved", run: RUN, checkpoint: checkpoint! });
    api.tell({ ...failed, message: "The disk is full." });
    expect(shown).toHaveLength(2);
  });
});

test("the screen stays awake while the run trains, where its screen was told so", async () => {
  const sentinels: { released: boolean }[] = [];
  vi.spyOn(navigator.wakeLock, "request").mockImplementation(async () => {
    const sentinel = { released: false, release: async () => void (sentinel.released = true) };
    sentinels.push(sentinel);
    return sentinel as unknown as WakeLockSentinel;
  });
  location.hash = `#/run/${RUN}`;
  const box = page.getByRole("checkbox", { name: "Keep the screen awake while it trains" });
  await expect.element(box).not.toBeChecked();
  expect(sentinels).toEqual([]);
  await userEvent.click(box);
  await vi.waitUntil(() => sentinels.length === 1);
  // The browser lets go of it with the page out of view.
  look(true);
  sentinels[0]!.released = true;
  look(false);
  await vi.waitUntil(() => sentinels.length === 2);
  await api.pause(RUN);
  api.tell({ kind: "status", run: RUN, status: "paused" });
  await vi.waitUntil(() => sentinels[1]!.released);
});
