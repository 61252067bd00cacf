/** What can be trained. A task is an info, a file in this folder, and an entry in `TASKS`. */
import { DIGITS } from "./infos/digits";
import { MODULAR } from "./infos/modular";
import { BATCH_SIZE, DROPOUT } from "./infos/shared";
import { SPIRALS } from "./infos/spirals";
import { TABLE } from "./infos/table";
import { TEXT } from "./infos/text";
import type { Field, FieldValue, TaskInfo } from "./task-info";

export type * from "./task-info";

/** Every task, in the order in which people should see them. */
export const TASKS: readonly TaskInfo[] = [SPIRALS, TEXT, TABLE, DIGITS, MODULAR];

/** The task of that id; undefined where there is none. */
export function taskInfo(id: string): TaskInfo | undefined {
  return TASKS.find((info) => info.id === id);
}

/** Settings that no tensor's shape hangs on: a fork may change them. */
export const FREE_SETTINGS: ReadonlySet<string> = new Set([BATCH_SIZE.name, DROPOUT.name]);

/** `config` with the default of each field that it leaves out. Fields that the task does not have stay, to be reported. */
export function withDefaults(
  info: TaskInfo,
  config: Readonly<Record<string, FieldValue>>,
): Record<string, FieldValue> {
  return { ...Object.fromEntries(info.fields.map((field) => [field.name, field.default])), ...config };
}

/** What is wrong with a config: one sentence each, naming field, value and range. Empty where it is complete and right. */
export function problemsOf(info: TaskInfo, config: Readonly<Record<string, unknown>>): readonly string[] {
  const known = new Set(info.fields.map((field) => field.name));
  const names = [...known].join(", ");
  const unknown = Object.keys(config).filter((name) => !known.has(name));
  return [
    ...unknown.map((name) => `"${name}" is not a setting of ${info.title}; its settings are ${names}.`),
    ...info.fields.flatMap((field) =>
      fieldProblems(field, Object.hasOwn(config, field.name) ? config[field.name] : undefined),
    ),
  ];
}

/** Half of a character, which no file and no record can hold. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What is wrong with one value; empty where it is right. */
export function fieldProblems(field: Field, value: unknown): readonly string[] {
  const found = `${field.label} (${field.name}) is ${value === undefined ? "missing" : show(value)}`;
  switch (field.kind) {
    case "integer":
    case "number": {
      const right = typeof value === "number" && value >= field.min && value <= field.max;
      if (right && (field.kind === "number" || Number.isInteger(value))) return [];
      const what = field.kind === "integer" ? "a whole number" : "a number";
      return [
        `${found}; give ${what} from ${field.min} to ${field.max}${field.unit ? ` ${field.unit}` : ""}.`,
      ];
    }
    case "choice":
      if (field.options.some((option) => option.value === value)) return [];
      return [`${found}; give one of ${field.options.map((option) => `"${option.value}"`).join(", ")}.`];
    case "switch":
      return typeof value === "boolean" ? [] : [`${found}; give true or false.`];
    case "text":
      if (typeof value === "string" && value.length <= field.maxLength && !LONE_SURROGATE.test(value))
        return [];
      return [`${found}; give a text of at most ${field.maxLength} characters.`];
    default:
      field satisfies never;
      return [];
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}
