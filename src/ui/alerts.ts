/** What is wrong now, in words: on every screen, so what is read on Health alone is elsewhere. */
import type { Health, MirrorStatus, StorageStatus } from "../worker/protocol";
import { bytes, count } from "./format";

/** From this share of what the browser allows on, space is short. */
const FULL = 0.9;

/** What is wrong now, one sentence each. `failures`: what failed since the page was opened. */
export function alertsOf(
  storage: StorageStatus | null,
  health: Health | null,
  failures: readonly string[],
  mirror: MirrorStatus | null,
): readonly string[] {
  const alerts: string[] = [...failures];
  if (storage !== null) {
    const { mode, reason, usage, quota, scrub } = storage;
    if (mode === "memory") alerts.push(`Nothing is stored: ${reason}`);
    if (usage !== null && quota !== null && usage > FULL * quota)
      alerts.push(
        `The site's storage is nearly full: ${bytes(usage)} of ${bytes(quota)}. Delete runs, or export them.`,
      );
    for (const damage of scrub.damaged) alerts.push(`Damaged on this device: ${damage}`);
  }
  if (health !== null) {
    for (const { name, checkpoints } of health.runs)
      for (const { step, check, rehearsed } of checkpoints) {
        if (check === "damaged")
          alerts.push(`${name}: the checkpoint of step ${count(step)} is damaged; an older one is used.`);
        if (rehearsed?.failure !== undefined && rehearsed.failure !== null)
          alerts.push(`${name}: step ${count(step)} did not come back as it was. ${rehearsed.failure}`);
      }
    for (const problem of health.audit.broken) alerts.push(`The audit log was changed: ${problem}.`);
  }
  const words = mirror === null ? null : mirrorAlert(mirror);
  if (words !== null) alerts.push(words);
  return [...new Set(alerts)];
}

function mirrorAlert({ state, folder, problem }: MirrorStatus): string | null {
  if (state === "asks") return `The mirror waits: the browser wants to be asked again for “${folder.name}”.`;
  return problem === null ? null : `The mirror in “${folder.name}” is not in step. ${problem}`;
}
