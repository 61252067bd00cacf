/** The settings in which compared states differ, in the words of the form that they were set in. */
import type { ComparedSide, Comparison, Difference } from "../analysis/compare";
import { taskInfo } from "../tasks/meta";
import {
  isOptimizerKind,
  isScheduleKind,
  OPTIMIZER_KINDS,
  optimizerFields,
  SCHEDULE_KINDS,
  scheduleFields,
  TRAINING_FIELDS,
} from "../tasks/training-fields";
import type { Field } from "../worker/protocol";
import { NOTHING, relativeChange, setting } from "./format";
import { toldSetting } from "./run-settings";
import { settingWords } from "./words";

export interface ComparedSetting {
  /** No other has it. */
  readonly key: string;
  readonly label: string;
  /** As many as there are sides; that of a side for which it says nothing is a dash. */
  readonly values: readonly string[];
  /** From the first to the second of two; empty where neither is larger. */
  readonly change: string;
}

export interface ComparedSettings {
  /** What a person set, or data that was chosen. */
  readonly set: readonly ComparedSetting[];
  /** What followed from that, and what computed it. */
  readonly other: readonly ComparedSetting[];
}

/** Of the machine and the build nobody sets anything; of the schedule's end the number of steps decides. */
const FOLLOWS: ReadonlySet<string> = new Set(["horizon"]);
const DATA = "data";

export function comparedSettings({ sides, differing }: Comparison): ComparedSettings {
  const set: ComparedSetting[] = [];
  const other: ComparedSetting[] = [];
  for (const difference of differing) {
    const { of, name } = difference;
    const values = difference.values.map((value, at) => (counts(sides[at], difference) ? value : null));
    if (values.every((value) => value === values[0])) continue;
    const isSet = of === "settings" ? !FOLLOWS.has(name) : name === DATA;
    (isSet ? set : other).push(inWords(sides, difference, values));
  }
  return { set, other };
}

/** Does it say anything of that side? Not where its optimizer, its schedule or its data is of another kind. */
function counts(side: ComparedSide | undefined, { of, name }: Difference): boolean {
  if (side === undefined || of === "environment") return true;
  const { task, settings, hasOwnData } = side;
  const field = taskInfo(task)?.fields.find((one) => one.name === name);
  if (field !== undefined) return !(hasOwnData && field.ofMadeUp === true);
  const { optimizer, schedule } = settings;
  const named = (fields: readonly Field[]): boolean => fields.some((one) => one.name === name);
  if (OF_SCHEDULES.has(name)) return !isScheduleKind(schedule) || named(scheduleFields(schedule));
  if (OF_OPTIMIZERS.has(name)) return !isOptimizerKind(optimizer) || named(optimizerFields(optimizer));
  return true;
}

const OF_OPTIMIZERS = namesOf(OPTIMIZER_KINDS.flatMap(optimizerFields));
const OF_SCHEDULES = namesOf(SCHEDULE_KINDS.flatMap(scheduleFields));

function namesOf(fields: readonly Field[]): ReadonlySet<string> {
  return new Set(fields.map(({ name }) => name));
}

function inWords(
  sides: readonly ComparedSide[],
  { of, name }: Difference,
  values: Difference["values"],
): ComparedSetting {
  const [a, b] = values;
  const isAmount = values.length === 2 && typeof a === "number" && typeof b === "number";
  const field = of === "settings" ? fieldOf(sides, name) : undefined;
  return {
    key: `${of} ${name}`,
    label: labelOf(of, name, field),
    values: values.map((value) => {
      if (value === null) return NOTHING;
      if (of === "settings" && name === "task") return taskInfo(String(value))?.title ?? String(value);
      return field === undefined ? setting(value) : toldSetting(field, value).value;
    }),
    // Of two seeds none is larger, and of two versions or browsers neither.
    change: isAmount && of === "settings" && name !== "seed" ? relativeChange(a, b) : "",
  };
}

function fieldOf(sides: readonly ComparedSide[], name: string): Field | undefined {
  const fields = sides.flatMap(({ task }) => taskInfo(task)?.fields ?? []);
  return [...fields, ...TRAINING_FIELDS].find((field) => field.name === name);
}

function labelOf(of: Difference["of"], name: string, field: Field | undefined): string {
  if (field !== undefined) return field.label;
  const math = /^math (.*)$/.exec(name)?.[1];
  if (math !== undefined) return `Version of the arithmetic: ${taskInfo(math)?.title ?? math}`;
  const words = of === "settings" ? settingWords(name) : name;
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
