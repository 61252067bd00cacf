/** The page's side of its service worker: brings it, and tells when a newer version of the page is there. */

/**
 * What the page says to its service worker. `take over`: to one that waits. `started`: the page now holds the files it
 * was started from, and those of the page before it may be dropped.
 */
export type Told = "take over" | "started";

/** A page may stay open for weeks; browsers look by themselves only when one is opened. */
const LOOK_MS = 60 * 60_000;

export interface Updates {
  /** Lets the new version answer for every page that is opened from now on. Those that are open keep their files. */
  take(): Promise<void>;
}

/**
 * `ready` is called when a newer version than this page's is there, and may be called again. Null where the browser
 * has no service workers, or gives none to this page: then it needs its server, and nothing else changes.
 */
export async function openUpdates(ready: (updates: Updates) => void): Promise<Updates | null> {
  if (!("serviceWorker" in navigator)) return null;
  const { serviceWorker } = navigator;
  holdFiles();
  let registration: ServiceWorkerRegistration;
  try {
    registration = await serviceWorker.register("./service-worker.js", { updateViaCache: "none" });
  } catch {
    return null;
  }
  const updates: Updates = { take: () => take(registration) };
  const look = (): void => {
    // Without an active one before it, it is this page's own.
    if (registration.waiting !== null && registration.active !== null) ready(updates);
  };
  const follow = (): void => {
    registration.installing?.addEventListener("statechange", look);
  };
  registration.addEventListener("updatefound", follow);
  follow();
  look();
  // Another tab let it in. The first one of all comes to a page that had none.
  let hadOne = serviceWorker.controller !== null;
  serviceWorker.addEventListener("controllerchange", () => {
    if (hadOne) ready(updates);
    hadOne = true;
  });
  setInterval(() => {
    // Without a network there is nothing new.
    registration.update().catch(() => undefined);
  }, LOOK_MS);
  return updates;
}

/** Until the page is closed, so that the files it was built with are kept for it. */
function holdFiles(): void {
  void navigator.locks.request(import.meta.url, { mode: "shared" }, () => {
    const { controller } = navigator.serviceWorker;
    if (controller !== null) tell(controller, "started");
    return new Promise(() => undefined);
  });
}

function take({ waiting }: ServiceWorkerRegistration): Promise<void> {
  return new Promise((resolve) => {
    if (waiting === null) {
      resolve();
      return;
    }
    waiting.addEventListener("statechange", () => {
      // A page that is loaded before it is active is still the old one. Redundant: a newer one waits in its place.
      if (waiting.state === "activated" || waiting.state === "redundant") resolve();
    });
    tell(waiting, "take over");
  });
}

function tell(worker: ServiceWorker, told: Told): void {
  worker.postMessage(told);
}
