/** Notifications over a made-up browser: with a constructor that a page may use, with one that it may not, and without. */
import { afterEach, expect, suite, test, vi } from "vitest";
import { askPermission, openedBy, permission, show, type Shown } from "../../src/ui/notifications";

const SHOWN: Shown = { title: "Spirals", body: "Finished.", tag: "r1 end", href: "#/run/r1" };

interface Made {
  readonly title: string;
  readonly options: NotificationOptions;
  readonly target: EventTarget;
}

/** `constructs`: may the page make one itself? */
function browser(given: NotificationPermission, constructs: boolean): Made[] {
  const made: Made[] = [];
  class MadeUp extends EventTarget {
    static readonly permission = given;
    static readonly requestPermission = () => Promise.resolve(given);
    constructor(title: string, options: NotificationOptions) {
      super();
      if (!constructs)
        throw new TypeError("Illegal constructor. Use ServiceWorkerRegistration.showNotification().");
      made.push({ title, options, target: this });
    }
    close(): void {}
  }
  vi.stubGlobal("Notification", MadeUp);
  return made;
}

function serviceWorker(): ReturnType<typeof vi.fn> {
  const showNotification = vi.fn(() => Promise.resolve());
  const getRegistration = () => Promise.resolve({ showNotification });
  vi.stubGlobal("navigator", { serviceWorker: { getRegistration } });
  return showNotification;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

suite("a notification", () => {
  test("is the page's own, and a click shows the page at the run", async () => {
    const made = browser("granted", true);
    const byWorker = serviceWorker();
    const focus = vi.fn();
    vi.stubGlobal("window", { focus });
    vi.stubGlobal("location", { hash: "#/" });
    await show(SHOWN);
    expect(made).toMatchObject([{ title: "Spirals", options: { body: "Finished.", tag: "r1 end" } }]);
    expect(byWorker).not.toHaveBeenCalled();
    made[0]!.target.dispatchEvent(new Event("click"));
    expect(focus).toHaveBeenCalledOnce();
    expect(location.hash).toBe("#/run/r1");
  });

  test("is the service worker's where no page may make one, and knows where it leads", async () => {
    browser("granted", false);
    const byWorker = serviceWorker();
    await show(SHOWN);
    expect(byWorker).toHaveBeenCalledExactlyOnceWith(
      "Spirals",
      expect.objectContaining({ body: "Finished.", tag: "r1 end", data: { href: "#/run/r1" } }),
    );
  });

  test("is none where there is no service worker either, and nothing breaks", async () => {
    browser("granted", false);
    vi.stubGlobal("navigator", {});
    await expect(show(SHOWN)).resolves.toBeUndefined();
  });

  test.each(["denied", "default"] as const)("is none where the browser says %s", async (given) => {
    const made = browser(given, true);
    const byWorker = serviceWorker();
    await show(SHOWN);
    expect(made).toEqual([]);
    expect(byWorker).not.toHaveBeenCalled();
    expect(await askPermission()).toBe(given);
  });
});

test("a browser without notifications says so, and is not asked", async () => {
  vi.stubGlobal("Notification", undefined);
  Reflect.deleteProperty(globalThis, "Notification");
  expect(permission()).toBe("none");
  expect(await askPermission()).toBe("none");
});

test.each([
  [{ open: "#/run/r1" }, "#/run/r1"],
  [{ open: "https://example.test/" }, null],
  [{ open: 7 }, null],
  [{}, null],
  [null, null],
  ["take over", null],
])("of what a service worker says, %j leads to %s", (said, href) => {
  expect(openedBy(said as Parameters<typeof openedBy>[0])).toBe(href);
});
