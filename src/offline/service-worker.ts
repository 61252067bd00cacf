/**
 * The service worker: answers for the page's own files, so that the page opens without a network. All logic is in
 * `versions.ts`. It takes over from an older one when a page says so, or when no page is left.
 */
import { Versions, type Build } from "./versions";
import { clicked } from "./notified";
import type { Told } from "./updates";

declare const self: ServiceWorkerGlobalScope;
/** Put before this file by the build (`scripts/lib/offline.mjs`). */
declare const HOLDFAST_BUILD: Build;

const { scope } = self.registration;

const versions = new Versions(scope, HOLDFAST_BUILD, {
  caches: self.caches,
  fetch: (request) => fetch(request),
  startedFrom,
  isSucceeded: () => self.registration.installing !== null || self.registration.waiting !== null,
});

/** Each page holds a lock by the name of its script; one that is being opened does not yet. */
async function startedFrom(): Promise<readonly string[] | null> {
  const { held = [] } = await self.navigator.locks.query();
  const names = held.map(({ name = "" }) => name).filter((name) => name.startsWith(scope));
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const pages = windows.filter(({ url }) => versions.isPage(url));
  return pages.length > names.length ? null : names;
}

self.addEventListener("install", (event) => {
  event.waitUntil(versions.install());
});

self.addEventListener("activate", (event) => {
  // The first one answers for the page that brought it, so that this page is complete without a network too.
  event.waitUntil(self.clients.claim().then(() => versions.sweep()));
});

self.addEventListener("message", (event) => {
  const takeOver: Told = "take over";
  event.waitUntil(event.data === takeOver ? self.skipWaiting() : versions.sweep());
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const pages = async () => {
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    return windows.filter(({ url }) => versions.isPage(url));
  };
  const open = (address: string) => self.clients.openWindow(scope + address);
  event.waitUntil(clicked(event.notification.data, { pages, open }));
});

self.addEventListener("fetch", (event) => {
  if (!versions.concerns(event.request)) return;
  const answer = versions.answer(event.request);
  event.respondWith(answer);
  event.waitUntil(answer.catch(() => undefined).then(() => versions.mended()));
});
