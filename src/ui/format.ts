/** Numbers and times as people read them. One place, so that the same number looks the same on every screen. */
import { settings } from "./settings-state.svelte";

const MS_PER_SECOND = 1000;
const MS_PER_MINUTE = 60 * MS_PER_SECOND;
const MS_PER_HOUR = 60 * MS_PER_MINUTE;
const MS_PER_DAY = 24 * MS_PER_HOUR;

/** Shown where there is no number yet. */
export const NOTHING = "–";

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** A whole number with thousands marked: `1,240`. */
export function count(value: number): string {
  return grouped.format(value);
}

/** A count with its noun: `1 step`, `20 steps`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function scientific(value: number, digits: number): string {
  const [mantissa = "", exponent = ""] = value.toExponential(digits - 1).split("e");
  return `${trimZeros(mantissa)}e${Number(exponent)}`;
}

/** A loss or metric in four significant digits, as wide at each step as at the one before: `1.482`, `0.0413`, `9.21e-4`. */
export function loss(value: number | null): string {
  if (value === null) return NOTHING;
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e5) return scientific(value, 3);
  return size >= 1000 ? count(value) : value.toPrecision(4);
}

/** A learning rate or another small setting, without zeros that say nothing: `9.2e-4`, `1e-3`, `0.05`. */
export function rate(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) return scientific(value, 3);
  if (size < 0.01) return trimZeros(value.toPrecision(3));
  return trimZeros(value.toPrecision(size >= 1000 ? 7 : 4));
}

/** A setting of any kind. */
export function setting(value: number | string | boolean | null): string {
  if (value === null) return NOTHING;
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "string") return value;
  return Number.isInteger(value) && Math.abs(value) < 1e9 ? count(value) : rate(value);
}

const BYTE_UNITS = {
  decimal: { base: 1000, names: ["B", "kB", "MB", "GB", "TB"] },
  binary: { base: 1024, names: ["B", "KiB", "MiB", "GiB", "TiB"] },
} as const;

/** Bytes in the units that the person set, at first decimal ones: `812 B`, `3.9 MB`, `312 MB`; `3.7 MiB`. */
export function bytes(value: number): string {
  const { base, names } = BYTE_UNITS[settings.now.bytes];
  let scaled = value;
  let unit = 0;
  // 999.5 and not 1000: what would be rounded to "1000 kB" is 1 MB.
  while (scaled >= base - 0.5 && unit < names.length - 1) {
    scaled /= base;
    unit += 1;
  }
  const digits = unit > 0 && scaled < 9.95 ? 1 : 0;
  return `${trimZeros(scaled.toFixed(digits))} ${names[unit]}`;
}

/** A stretch of time: `0.3 ms`, `412 ms`, `4.1 s`, `2 min 10 s`, `3 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 9.95) return `${trimZeros(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 9.95 * MS_PER_SECOND) return `${trimZeros((ms / MS_PER_SECOND).toFixed(1))} s`;
  if (ms < 59.5 * MS_PER_SECOND) return `${(ms / MS_PER_SECOND).toFixed(0)} s`;
  if (ms < MS_PER_HOUR) return twoUnits(ms, MS_PER_MINUTE, "min", MS_PER_SECOND, "s");
  if (ms < MS_PER_DAY) return twoUnits(ms, MS_PER_HOUR, "h", MS_PER_MINUTE, "min");
  return twoUnits(ms, MS_PER_DAY, "d", MS_PER_HOUR, "h");
}

function twoUnits(ms: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const smalls = Math.round(ms / small);
  const perBig = big / small;
  const rest = smalls % perBig;
  const first = `${Math.floor(smalls / perBig)} ${bigUnit}`;
  return rest === 0 ? first : `${first} ${rest} ${smallUnit}`;
}

/** How long ago, in one unit: `now`, `12 s`, `3 min`, `2 h`, `5 days`. Clocks that were set back count as now. */
export function age(ms: number): string {
  if (ms < MS_PER_SECOND) return "now";
  if (ms < MS_PER_MINUTE) return `${Math.floor(ms / MS_PER_SECOND)} s`;
  if (ms < MS_PER_HOUR) return `${Math.floor(ms / MS_PER_MINUTE)} min`;
  if (ms < MS_PER_DAY) return `${Math.floor(ms / MS_PER_HOUR)} h`;
  return counted(Math.floor(ms / MS_PER_DAY), "day");
}

/** `12 s ago`, or `just now`. */
export function ago(ms: number): string {
  return ms < MS_PER_SECOND ? "just now" : `${age(ms)} ago`;
}

/** When something was, as the person set it: how long ago, or by the clock. Milliseconds since 1970. */
export function when(time: number, now: number): string {
  return settings.now.times === "relative" ? ago(now - time) : byClock(time, now);
}

/** The time of day; with its date where that was another day. */
function byClock(time: number, now: number): string {
  const date = new Date(time);
  return date.toDateString() === new Date(now).toDateString()
    ? date.toLocaleTimeString()
    : date.toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" });
}

/** How long something still takes, in one unit: `less than 1 s`, `12 s`, `3 min`. */
export function remaining(ms: number): string {
  return ms < MS_PER_SECOND ? "<1 s" : age(ms);
}

/** Steps per second: `38.2`, `0.41`, `1,240`. */
export function speed(stepsPerSecond: number | null): string {
  if (stepsPerSecond === null) return NOTHING;
  if (stepsPerSecond >= 100) return count(stepsPerSecond);
  return stepsPerSecond >= 1 ? stepsPerSecond.toFixed(1) : stepsPerSecond.toFixed(2);
}

/** A part of a whole, or of less than it: `74 %`. */
export function share(part: number, whole: number): string {
  return whole === 0 ? NOTHING : `${count((100 * part) / whole)} %`;
}

/** How much of something is done, whole percents: 100 at its end alone. */
export function percentDone(done: number, all: number): number {
  return all === 0 ? 0 : Math.floor((100 * done) / all);
}

/** A signed difference: `+0.089`, `−0.215`, `0`. */
export function difference(value: number): string {
  if (value === 0) return "0";
  return `${value < 0 ? "−" : "+"}${loss(Math.abs(value))}`;
}

/** Above it, "+900 %" is read more slowly than "×10". */
const FACTOR = 3;

/** A relative change as a percentage, or as a factor where it is large: `−13 %`, `×30`. */
export function relativeChange(from: number, to: number): string {
  if (from === 0) return NOTHING;
  if (to / from >= FACTOR) return `×${Number((to / from).toPrecision(3))}`;
  const percent = ((to - from) / Math.abs(from)) * 100;
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  return `${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(digits)} %`;
}

const DIGEST_SHOWN = 10;

/** The start of a digest, enough to tell two apart by eye. */
export function shortDigest(hex: string): string {
  return hex.slice(0, DIGEST_SHOWN);
}

/** A moment in the reader's own clock and language. */
export function moment(time: number): string {
  return new Date(time).toLocaleString();
}
