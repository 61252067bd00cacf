/** The icon in the browser's tab, as the address of an image: how far a run is, or that something is wrong. */

/** Seen on a light tab and on a dark one: what the browser draws behind it, no token says. */
const SEA = "#1098ad";
const CORAL = "#e8590c";
const RING = 'cx="11" cy="11" r="8" fill="none" stroke-width="5"';
const MARK = '<path d="M11 6v6.5M11 16.4v.2" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/>';

export interface TabState {
  /** Of the run that trains here, whole percents; null where none does. */
  readonly percent: number | null;
  readonly isTrouble: boolean;
}

/** Null where the page's own icon says it all. */
export function tabIcon({ percent, isTrouble }: TabState): string | null {
  if (percent === null && !isTrouble) return null;
  const drawn =
    percent === null ? `<circle cx="11" cy="11" r="10" fill="${CORAL}"/>${MARK}` : ring(percent, isTrouble);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 22 22">${drawn}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

function ring(percent: number, isTrouble: boolean): string {
  const colour = isTrouble ? CORAL : SEA;
  const whole = `<circle ${RING} stroke="${colour}" stroke-opacity=".3"/>`;
  const done = `<circle ${RING} stroke="${colour}" pathLength="100" stroke-dasharray="${percent} 100" transform="rotate(-90 11 11)"/>`;
  return `${whole}${done}${isTrouble ? `<circle cx="11" cy="11" r="3.2" fill="${colour}"/>` : ""}`;
}
