/** Where the browser keeps small things for this page; null where it refuses even to be asked. */
export function pageStorage(): Storage | null {
  try {
    return "localStorage" in globalThis ? localStorage : null;
  } catch {
    return null;
  }
}
