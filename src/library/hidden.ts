/**
 * Calls `told` when the page is hidden (false) or goes away (true): the last moments in which anything can be written
 * that a phone may not give back. In a worker there is no page to watch. Returns the call that stops it.
 */
export function whenHidden(told: (isGoing: boolean) => void): () => void {
  if (typeof document === "undefined") return () => undefined;
  const hidden = () => {
    if (document.visibilityState === "hidden") told(false);
  };
  const going = () => {
    told(true);
  };
  document.addEventListener("visibilitychange", hidden);
  addEventListener("pagehide", going);
  return () => {
    document.removeEventListener("visibilitychange", hidden);
    removeEventListener("pagehide", going);
  };
}
