/** A click on a notification of the service worker's: shows a page that is open, or opens one. */

/** What the service worker says to the page then: where to go, from `#` on. */
export interface Opened {
  readonly open: string;
}

interface Page {
  postMessage(message: unknown): void;
  focus(): Promise<unknown>;
}

/** What a click can show. */
export interface Windows {
  /** Pages of this app that are open; last looked at first. */
  readonly pages: () => Promise<readonly Page[]>;
  readonly open: (address: string) => Promise<unknown>;
}

/** `data`: of the notification, `{ href }`; anything else shows the page as it is. */
export async function clicked(data: unknown, { pages, open }: Windows): Promise<void> {
  const href = typeof data === "object" && data !== null && "href" in data ? data.href : null;
  const address = isAddress(href) ? href : "#/";
  const [page] = await pages();
  if (page === undefined) {
    await open(address);
    return;
  }
  // Said, and not navigated to: that might load the page anew, and a run trains in it.
  if (isAddress(href)) page.postMessage({ open: href } satisfies Opened);
  await page.focus();
}

function isAddress(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("#/");
}
