/**
 * Which settings hold at a step: the run's record, folded with its events in the order of (step, seq).
 *
 * The record never changes, so this is the one place that knows what a change means. Trainer, replay and manifest
 * all ask here.
 */
import type { OptimizerConfig, RunEvent, RunRecord } from "./run";

/** What holds at a step, after all events up to it. */
export interface Settings {
  readonly optimizer: OptimizerConfig;
  /** Steps asked for by then. */
  readonly steps: number;
}

/** One line of a run's config list: `settings` hold from state `from` on. */
export interface SettingsFrom extends Settings {
  readonly from: number;
}

/** What holds at state `step`: the record, with every event at or before it applied in the order of (step, seq). */
export function settingsAt(record: RunRecord, events: readonly RunEvent[], step: number): Settings {
  const past = events
    .filter((event) => event.step <= step)
    .toSorted((a, b) => a.step - b.step || a.seq - b.seq);
  return past.reduce(applied, { optimizer: record.optimizer, steps: record.steps });
}

/** The run's settings from its first step on, one line for each step at which they change. */
export function configList(record: RunRecord, events: readonly RunEvent[]): SettingsFrom[] {
  const changes = events.filter((event) => event.step > record.firstStep && changesSettings(event));
  const starts = new Set([record.firstStep, ...changes.map((event) => event.step).sort((a, b) => a - b)]);
  return [...starts].map((from) => ({ from, ...settingsAt(record, events, from) }));
}

/** The first state after `step` at which the settings change; Infinity where they no longer do. */
export function nextEventAfter(events: readonly RunEvent[], step: number): number {
  return events.reduce(
    (next, event) => (changesSettings(event) && event.step > step ? Math.min(next, event.step) : next),
    Infinity,
  );
}

function changesSettings(event: RunEvent): boolean {
  return event.kind === "changed" || event.kind === "extended";
}

function applied(settings: Settings, event: RunEvent): Settings {
  const { optimizer } = settings;
  switch (event.kind) {
    case "changed":
      return { ...settings, optimizer: { ...optimizer, ...event.changes } };
    case "extended":
      if (event.horizon === undefined) return { ...settings, steps: event.steps };
      return {
        steps: event.steps,
        optimizer: { ...optimizer, schedule: { ...optimizer.schedule, horizon: event.horizon } },
      };
    default:
      return settings;
  }
}
