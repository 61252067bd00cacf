/** What a person sets for the page as a whole: its shape, the defaults, and how it is read where it is kept. */
import { POLICIES, type PolicyName } from "../policy/presets";
import { fieldProblems } from "../tasks/meta";
import { SAVE_KIND, saveEveryField } from "../tasks/training-fields";

/** Of the contents; one more whenever a setting means something else under its old name. */
const VERSION = 1;

export const THEMES = ["system", "light", "dark"] as const;
/** Powers of 1000, or of 1024. */
export const BYTE_UNITS = ["decimal", "binary"] as const;
/** How long ago something was, or when. */
export const TIMES = ["relative", "clock"] as const;
const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[];

export interface Settings {
  readonly theme: (typeof THEMES)[number];
  readonly bytes: (typeof BYTE_UNITS)[number];
  readonly times: (typeof TIMES)[number];
  /** What a new run begins with: an option of `SAVE_KIND`. */
  readonly saveKind: string;
  /** In the unit of `saveKind`, within the range of its field. */
  readonly saveEvery: number;
  readonly keep: PolicyName;
  readonly draw: boolean;
  /** Is it told outside the page that a run ended, and that something went wrong, while nobody looks? */
  readonly notifyEnd: boolean;
  readonly notifyTrouble: boolean;
  /** Does the screen stay awake while a run trains? */
  readonly awake: boolean;
  /** Do keys without a modifier act? */
  readonly singleKeys: boolean;
}

export const DEFAULTS: Settings = {
  theme: "system",
  bytes: "decimal",
  times: "relative",
  saveKind: String(SAVE_KIND.default),
  saveEvery: everyBy(String(SAVE_KIND.default)),
  keep: "steady",
  draw: true,
  notifyEnd: false,
  notifyTrouble: false,
  awake: false,
  singleKeys: true,
};

/** What was read. */
export interface ReadSettings {
  readonly settings: Settings;
  /** What could not be used, in words for a person; null where all could. */
  readonly problem: string | null;
  /** Written by a later version of this page, which goes on with them: not to be written over unasked. */
  readonly isNewer: boolean;
}

/** How often a run saves that asks for no more than the kind. */
export function everyBy(saveKind: string): number {
  return Number(saveEveryField(saveKind).default);
}

/** As they are kept. */
export function writtenSettings(settings: Settings): string {
  return JSON.stringify({ version: VERSION, ...settings });
}

/** Never throws: what cannot be used is the default, and named. `text`: null where nothing was kept. */
export function readSettings(text: string | null): ReadSettings {
  if (text === null) return { settings: DEFAULTS, problem: null, isNewer: false };
  const raw = parsed(text);
  const version = raw?.["version"];
  if (raw === null || typeof version !== "number" || version < 1)
    return unread("The settings of this page could not be read, so the defaults hold.", false);
  if (version > VERSION)
    return unread(
      "The settings of this page come from a newer version of it, so the defaults hold here. Load the page again.",
      true,
    );
  const wrong: string[] = [];
  const read = <Value>(name: keyof Settings, isValue: (value: unknown) => value is Value, other: Value) => {
    const value = raw[name];
    if (isValue(value)) return value;
    // One that was left out did not exist yet.
    if (value !== undefined) wrong.push(name);
    return other;
  };
  const saveKind = read("saveKind", isSaveKind, DEFAULTS.saveKind);
  const isEvery = (value: unknown): value is number =>
    fieldProblems(saveEveryField(saveKind), value).length === 0;
  const settings: Settings = {
    theme: read("theme", oneOf(THEMES), DEFAULTS.theme),
    bytes: read("bytes", oneOf(BYTE_UNITS), DEFAULTS.bytes),
    times: read("times", oneOf(TIMES), DEFAULTS.times),
    saveKind,
    saveEvery: read("saveEvery", isEvery, everyBy(saveKind)),
    keep: read("keep", isPolicyName, DEFAULTS.keep),
    draw: read("draw", isBoolean, DEFAULTS.draw),
    notifyEnd: read("notifyEnd", isBoolean, DEFAULTS.notifyEnd),
    notifyTrouble: read("notifyTrouble", isBoolean, DEFAULTS.notifyTrouble),
    awake: read("awake", isBoolean, DEFAULTS.awake),
    singleKeys: read("singleKeys", isBoolean, DEFAULTS.singleKeys),
  };
  const problem =
    wrong.length === 0
      ? null
      : `Some settings of this page could not be read, so their defaults hold: ${wrong.join(", ")}.`;
  return { settings, problem, isNewer: false };
}

function unread(problem: string, isNewer: boolean): ReadSettings {
  return { settings: DEFAULTS, problem, isNewer };
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const raw: unknown = JSON.parse(text);
    return typeof raw === "object" && raw !== null ? Object.fromEntries(Object.entries(raw)) : null;
  } catch {
    return null;
  }
}

function oneOf<const Value extends string>(known: readonly Value[]): (value: unknown) => value is Value {
  return (value): value is Value => known.some((one) => one === value);
}

export function isPolicyName(value: unknown): value is PolicyName {
  return POLICY_NAMES.some((one) => one === value);
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isSaveKind(value: unknown): value is string {
  return fieldProblems(SAVE_KIND, value).length === 0;
}
