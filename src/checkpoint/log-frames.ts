/** Frames that a log begins with, where a run begins, comes from a file, or has lost the log it had. */
import { encodeLogged } from "../format/log";
import type { About, Edit, RunEvent, RunRecord, RunStatus } from "../format/run";
import type { AddFrame } from "./durable";
import { FrameSequence } from "./frames";

/** Edits need no lease, and no epoch decides between them: their numbers do. */
export const NO_EPOCH = 0;

/** What a log has to know of its run. */
export interface LogStart extends About {
  /** How many edits there were. */
  readonly edits: number;
}

/** The run's record, and the events so far. Returns the pack of the last frame. */
export async function beginLog(
  frames: FrameSequence,
  record: RunRecord,
  events: readonly RunEvent[],
): Promise<string> {
  const { place } = await frames.add("run", encodeLogged(record), "byte");
  return (await addEvents(frames, events)) ?? place.pack;
}

/**
 * All events of a run, the one up to step `end` that came last with what the run became. Returns the pack of the last one;
 * null where there is none.
 */
export async function addEvents(
  frames: FrameSequence,
  events: readonly RunEvent[],
  end = Infinity,
): Promise<string | null> {
  const last = events.findLast(({ step }) => step <= end);
  let pack: string | null = null;
  for (const event of events) {
    const status = event === last ? statusAfter(events, end) : null;
    const { place } = await frames.add("event", encodeLogged({ event, status }), "byte");
    pack = place.pack;
  }
  return pack;
}

/**
 * What a person made of the run, all under the number of the last edit: what is found of earlier ones comes before, and
 * is overruled.
 */
export async function addAbout(
  add: AddFrame,
  { id, name, policy }: RunRecord,
  { edits, ...about }: LogStart,
): Promise<void> {
  if (edits === 0) return;
  const all: readonly Edit[] = [
    { kind: "renamed", name },
    { kind: "policy", policy },
    { kind: "described", tags: about.tags, note: about.note },
    ...about.marks.map((mark): Edit => ({ kind: "marked", mark })),
  ];
  for (const edit of all) {
    const frames = new FrameSequence(add, { run: id, epoch: NO_EPOCH }, edits, () => 0);
    await frames.add("edit", encodeLogged(edit), "byte");
  }
}

/** What the events up to step `end` say that a run is; one that was training is paused here. */
export function statusAfter(events: readonly RunEvent[], end = Infinity): RunStatus {
  for (const { kind, step } of events.toReversed()) {
    // What it became at a step that it does not have it is not.
    if (step > end) continue;
    if (kind === "finished" || kind === "stopped") return kind;
    if (kind === "resumed" || kind === "started" || kind === "extended" || kind === "paused") return "paused";
  }
  return "paused";
}
