/** Which settings each stretch of a run used, from its record and its events. */
import type { ConfigStretch } from "../format/manifest";
import type { Config, RunEvent, RunRecord } from "../format/run";
import { configList } from "../format/settings";

/** Ascending by `from`; a stretch holds until the next one. Only what counts for states up to `step`. */
export function configStretches(
  record: RunRecord,
  events: readonly RunEvent[],
  step: number,
): readonly ConfigStretch[] {
  // More steps alone change no setting of an update; the manifest has their number beside this list.
  const counted = events.filter(
    (event) => event.step <= step && (event.kind !== "extended" || event.horizon !== undefined),
  );
  return configList(record, counted).map(({ from, optimizer }) => ({
    from,
    config: record.config,
    optimizer,
  }));
}

/** The settings of a stretch, flat, by name. */
export function settingsOf(seed: number, stretch: ConfigStretch | undefined): Config {
  if (stretch === undefined) return {};
  const { kind, schedule, ...optimizer } = stretch.optimizer;
  const { kind: shape, ...bends } = schedule;
  return { ...stretch.config, seed, optimizer: kind, ...optimizer, schedule: shape, ...bends };
}
