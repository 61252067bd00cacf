/** What the browser shows outside the page. */
import type { Opened } from "../offline/notified";

/** May this page show any? `default`: the person was not asked yet; `none`: the browser has none for pages. */
export type Permission = NotificationPermission | "none";

export interface Shown {
  readonly title: string;
  readonly body: string;
  /** A newer one with the same tag takes its place. */
  readonly tag: string;
  /** Where a click leads, from `#` on. */
  readonly href: string;
}

export function permission(): Permission {
  return "Notification" in globalThis ? Notification.permission : "none";
}

/** Asks the person, where that was not done. To be called in a click. */
export async function askPermission(): Promise<Permission> {
  return "Notification" in globalThis ? Notification.requestPermission() : "none";
}

/** Why nothing is shown, and what to do about it; null where it is. */
export function refusalWords(given: Permission): string | null {
  switch (given) {
    case "granted":
      return null;
    case "denied":
      return "This browser refuses notifications of this page. Allow them in its settings for this site, beside the address, then switch this on.";
    case "default":
      return "The browser has not allowed notifications yet: switch this on again, and choose to allow them.";
    case "none":
      return "This browser has no notifications for this page. On a phone, add the page to the home screen and open it there.";
    default:
      return given satisfies never;
  }
}

/** A click shows this tab, at that address. Never throws: what cannot be shown is on the page anyway. */
export async function show({ title, body, tag, href }: Shown): Promise<void> {
  if (permission() !== "granted") return;
  const options = { body, tag, icon: "./icon-192.png" };
  try {
    const shown = new Notification(title, options);
    shown.addEventListener("click", () => {
      window.focus();
      location.hash = href;
      shown.close();
    });
  } catch {
    // Android has the constructor and lets no page use it: there the service worker shows it, and is told of the click.
    if (!("serviceWorker" in navigator)) return;
    const registration = await navigator.serviceWorker.getRegistration();
    await registration?.showNotification(title, { ...options, data: { href } });
  }
}

/** The address that a click on a notification of the service worker's leads to; null for what else it says. */
export function openedBy(said: Partial<Opened> | null): string | null {
  const href: unknown = said?.open;
  return typeof href === "string" && href.startsWith("#/") ? href : null;
}
