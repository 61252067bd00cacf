/** What a run was told, as lines for people: its data, its task's settings, and the optimizer's as they are at a step. */
import { excerpt } from "../excerpt";
import { settingsAt } from "../format/settings";
import { taskInfo } from "../tasks/meta";
import {
  CLIP_NORM,
  LEARNING_RATE,
  OPTIMIZER,
  optimizerFields,
  SCHEDULE,
  scheduleFields,
} from "../tasks/training-fields";
import type { Field, RunEvent, RunRecord } from "../worker/protocol";
import { bytes, rate, setting } from "./format";
import { settingWords, uncapitalized } from "./words";

export interface SettingLine {
  readonly label: string;
  readonly value: string;
}

/** Longer ones (a vocabulary, the names of a hundred columns) are cut. */
const SHOWN = 120;

/** `step`: the state whose settings are told. */
export function runSettings(
  record: RunRecord,
  events: readonly RunEvent[],
  step: number,
): readonly SettingLine[] {
  const { optimizer } = settingsAt(record, events, step);
  const { schedule } = optimizer;
  const { data } = record;
  const fields = new Map((taskInfo(record.task)?.fields ?? []).map((field) => [field.name, field]));
  const lines: readonly SettingLine[] = [
    { label: "Task", value: taskInfo(record.task)?.title ?? record.task },
    {
      label: "Data",
      value: data.origin === "generated" ? "made by the task" : `${data.name}, ${bytes(data.bytes)}`,
    },
    ...Object.entries(data.preprocessing).map(([name, value]) => ({
      label: `Data: ${settingWords(name)}`,
      value: excerpt(setting(value), SHOWN),
    })),
    { label: "Seed", value: String(record.seed) },
    ...Object.entries(record.config).flatMap(([name, value]) => {
      const field = fields.get(name);
      if (field?.ofMadeUp === true && data.origin !== "generated") return [];
      return field === undefined
        ? { label: settingWords(name), value: excerpt(setting(value), SHOWN) }
        : toldSetting(field, value);
    }),
    toldSetting(OPTIMIZER, optimizer.kind),
    toldSetting(LEARNING_RATE, optimizer.learningRate),
    ...optimizerFields(optimizer.kind).map((field) => toldSetting(field, valueIn(optimizer, field.name))),
    toldSetting(CLIP_NORM, optimizer.clipNorm),
    toldSetting(SCHEDULE, schedule.kind),
    ...scheduleFields(schedule.kind).map((field) => toldSetting(field, valueIn(schedule, field.name))),
    ...(record.from === undefined ? [] : [{ label: "Began with", value: record.from.name }]),
  ];
  return lines.filter(({ value }) => value !== "");
}

/** The rate that the schedule goes by, and what it makes of it: `rate 0.05; warm-up, then cosine`. */
export function rateWords(learningRate: number, { optimizer }: Pick<RunRecord, "optimizer">): string {
  const { kind } = optimizer.schedule;
  const words = `rate ${rate(learningRate)}`;
  return kind === "constant" ? words : `${words}; ${uncapitalized(toldSetting(SCHEDULE, kind).value)}`;
}

/** A setting that a fork began with, and what its parent had at that step; null where the parent had none of that name. */
export interface ChangedSetting extends SettingLine {
  readonly was: string | null;
}

/** What is different in a fork from its parent, both as they were at the fork's first step. */
export function forkChanges(
  fork: RunRecord,
  parent: { readonly record: RunRecord; readonly events: readonly RunEvent[] },
): readonly ChangedSetting[] {
  const before = runSettings(parent.record, parent.events, fork.firstStep);
  const was = new Map(before.map(({ label, value }) => [label, value]));
  return runSettings(fork, [], fork.firstStep)
    .filter(({ label, value }) => was.get(label) !== value)
    .map((line) => ({ ...line, was: was.get(line.label) ?? null }));
}

type Value = number | string | boolean | null;

/** A setting as its field names it. */
export function toldSetting(field: Field, value: Value): SettingLine {
  const chosen = field.kind === "choice" ? field.options.find((option) => option.value === value) : undefined;
  const unit = field.kind === "integer" || field.kind === "number" ? field.unit : undefined;
  const words = chosen?.label ?? excerpt(setting(value), SHOWN);
  return { label: field.label, value: unit === undefined ? words : `${words} ${unit}` };
}

function valueIn(settings: object, name: string): Value {
  const value: unknown = Object.entries(settings).find(([key]) => key === name)?.[1];
  return typeof value === "number" || typeof value === "string" || typeof value === "boolean" ? value : null;
}
