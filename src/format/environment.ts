/** Whether two environments are the same one, and what of a browser's name counts. */
import type { Environment } from "./run";

/** Do both compute the same bits? A difference is no proof of other numbers: it asks for a replay. */
export function sameEnvironment(a: Environment, b: Environment): boolean {
  return (
    a.backend === b.backend &&
    a.browser === b.browser &&
    a.tfjs === b.tfjs &&
    sameEntries(a.adapter, b.adapter) &&
    sameEntries(a.flags, b.flags) &&
    sameEntries(a.math, b.math)
  );
}

interface Brand {
  readonly brand: string;
  readonly version: string;
}

/** What of `navigator` tells the engine. Client hints are in Chromium's secure contexts only. */
export interface BrowserHints {
  readonly userAgent: string;
  readonly userAgentData?: { readonly brands: readonly Brand[] };
}

/** Engine and major version, as in `Chromium 156`: minor ones change no kernel and would ask for replays weekly. */
export function browserName(hints: BrowserHints): string {
  const chromium = hints.userAgentData?.brands.find(({ brand }) => brand === "Chromium");
  if (chromium !== undefined) return `Chromium ${chromium.version}`;
  for (const [engine, pattern] of ENGINES) {
    const major = pattern.exec(hints.userAgent)?.[1];
    if (major !== undefined) return `${engine} ${major}`;
  }
  return hints.userAgent;
}

/** In this order: Chromium's user agent names Safari too. */
const ENGINES: readonly (readonly [engine: string, major: RegExp])[] = [
  ["Chromium", /(?:Headless)?Chrome\/(\d+)/],
  ["Gecko", /Firefox\/(\d+)/],
  ["WebKit", /Version\/(\d+)[\d.]* .*Safari/],
];

function sameEntries(
  a: Readonly<Record<string, string | number>>,
  b: Readonly<Record<string, string | number>>,
): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
  );
}
