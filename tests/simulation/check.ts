/**
 * Opens what a crash left and holds it to what is expected: every listed checkpoint is read and compared, bit for
 * bit; then each run is saved once more, and the trash is emptied.
 */
import { createHash } from "node:crypto";
import { HoldfastError } from "../../src/errors";
import type { RunEvent } from "../../src/format/run";
import type { RunDetail } from "../../src/format/stored";
import type { State } from "../../src/format/tensors";
import { isDeepStrictEqual } from "node:util";
import { DATA } from "../support/run-samples";
import type { Image } from "./disk";
import type { ExpectedRun } from "./expected";
import { REHEARSAL, stateOf, World, type Tab } from "./world";

/** A keyframe and those that lean on it, so that what one damaged pack costs is bounded. */
const CHAIN_LENGTH = 8;

export interface CheckOptions {
  /** Something was lost that no page can keep: it may be gone, but nothing may come back as something else. */
  readonly lossy: boolean;
  /** Whole files, the newest ones, or any bytes. */
  readonly namesLost: boolean;
  /** The catalogue may be an older one: what it lists and the run let go of later is marked as damaged. */
  readonly older: boolean;
}

/** What is wrong, in words; null where nothing is. */
export async function faultOf(
  image: Image,
  expected: ReadonlyMap<string, ExpectedRun>,
  options: CheckOptions,
): Promise<string | null> {
  const world = new World(image);
  try {
    const tab = world.tab();
    await tab.manager.recovered();
    await tab.manager.idle();
    const listed = new Set((await tab.manager.runs()).map(({ id }) => id));
    for (const id of listed) if (!expected.has(id)) return `the run ${id} came out of nothing`;
    for (const [id, run] of expected) {
      const there = listed.has(id);
      if (there && run.listed === "must not") return `the run ${id} is there and must not be`;
      if (!there && run.listed === "must" && !options.lossy) return `the run ${id} is gone`;
      const fault = there ? await faultOfRun(tab, id, run, options) : null;
      if (fault !== null) return `the run ${id}: ${fault}`;
    }
    const { broken } = await tab.manager.audit();
    if (broken.length > 0) return `the audit log: ${broken.join("; ")}`;
    const saved = new Map<string, number>();
    for (const id of listed) {
      const step = await savedOnceMore(world, tab, id);
      if (typeof step === "string") return `the run ${id}: ${step}`;
      saved.set(id, step);
    }
    await tab.manager.emptyTrash();
    for (const [id, step] of saved) {
      const fault = await faultAfterSweep(tab, id, step, options);
      if (fault !== null) return `the run ${id}, after the sweep: ${fault}`;
    }
    return null;
  } catch (error) {
    return `it fails: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

async function faultOfRun(
  tab: Tab,
  id: string,
  run: ExpectedRun,
  { lossy, namesLost, older }: CheckOptions,
): Promise<string | null> {
  const detail = await tab.manager.detail(id);
  const steps = detail.checkpointList
    .filter(({ check }) => !older || check !== "damaged")
    .map(({ step }) => step);
  // Deleted for good, as far as the newer catalogue went.
  if (older && steps.length === 0 && run.listed !== "must") return null;
  const head = Math.max(-1, ...steps);
  if (head > run.asked) return `step ${head} is there, and ${run.asked} was the last one asked for`;
  if (head < run.acknowledged && !lossy)
    return `step ${run.acknowledged} was saved, and ${head} is the newest`;
  if (head < run.least && !lossy) return `an import is there to step ${head} of ${run.least}`;
  for (const step of steps) {
    const fault = await faultOfStep(tab, id, step, lossy);
    if (fault !== null) return fault;
  }
  for (const step of namesLost ? [] : run.since) {
    const fault = await faultOfStep(tab, id, step, false);
    if (fault !== null) return fault;
  }
  if (lossy || run.partial) return null;
  const { checkpoint, skipped } = await tab.manager.restore(id);
  if (checkpoint.step !== head || skipped.length > 0) return `step ${head} cannot be restored`;
  if (!run.names.has(detail.name) && run.names.size > 0) return `it is called ${detail.name}`;
  for (const step of run.forkedAt)
    if (!steps.includes(step)) return `a fork began at step ${step}, which is gone`;
  if (run.names.size > 0 && !run.notes.has(detail.note)) return `its note is "${detail.note}"`;
  const keep = JSON.stringify(detail.record.policy.keep);
  if (run.rules.size > 0 && !run.rules.has(keep)) return `its rules are ${keep}`;
  const pinned = detail.marks.filter((mark) => mark.pinned).map(({ step }) => step);
  for (const step of pinned)
    if (!run.pins.some((pin) => pin.step === step)) return `step ${step} is pinned, and nobody did`;
  for (const { step, certain } of run.pins) {
    if (certain && !pinned.includes(step)) return `step ${step} is not pinned any more`;
    if (certain && run.saved.includes(step) && !steps.includes(step))
      return `step ${step} was pinned and is gone`;
  }
  return faultOfLog(tab, detail, run, head);
}

async function faultOfLog(
  tab: Tab,
  detail: RunDetail,
  run: ExpectedRun,
  head: number,
): Promise<string | null> {
  let at = 0;
  for (const { body, certain } of run.events) {
    const event = detail.events[at];
    if (event !== undefined && isDeepStrictEqual(bodyOf(event), body)) at++;
    else if (certain) return `the event ${body.kind} is missing at place ${at}`;
  }
  if (at < detail.events.length)
    return `the event ${detail.events[at]?.kind ?? ""} was never asked for, or twice there`;
  const wasStopped = detail.events.some(({ kind }) => kind === "stopped");
  if (wasStopped !== (detail.status === "stopped"))
    return `it is ${detail.status}, and the event that stops it is ${wasStopped ? "" : "not "}there`;
  for (const { step, rehearsed } of detail.checkpointList)
    if (rehearsed !== null && !isDeepStrictEqual(rehearsed, REHEARSAL))
      return `the rehearsal of step ${step} is another one`;
  const from = detail.record.firstStep;
  const { loss } = await tab.manager.journal(detail.id);
  if (loss.length < head - from)
    return `its journal ends at ${from + loss.length}, before its newest checkpoint`;
  const bits = new Uint32Array(loss.buffer, loss.byteOffset, loss.length);
  for (const [index, value] of bits.entries())
    if (value !== 0x3f000000 + from + 1 + index) return `the loss of step ${from + 1 + index} has other bits`;
  // A run that was not acknowledged may have been begun for data that was cleared meanwhile.
  if (run.listed !== "must") return null;
  const data = await tab.manager.getData(detail.record.data.hash);
  return Buffer.compare(data, DATA) === 0 ? null : "its data is not what it was";
}

/** An event without its number and time. */
function bodyOf(event: RunEvent): object {
  const about = ["seq", "step", "time"];
  return Object.fromEntries(Object.entries(event).filter(([name]) => !about.includes(name)));
}

/** The step; or what is wrong. */
async function savedOnceMore(world: World, tab: Tab, id: string): Promise<number | string> {
  const lease = await world.acquire(tab, id);
  if (lease === null) return "it cannot be acquired";
  const step = (await tab.manager.detail(id)).step + 1;
  if (!(await world.save(tab, lease, step))) return `step ${step} cannot be saved`;
  await tab.manager.idle();
  return step;
}

/** The sweep takes whole packs: the oldest and the newest checkpoint would miss theirs first. */
async function faultAfterSweep(
  tab: Tab,
  id: string,
  newest: number,
  { lossy, older }: CheckOptions,
): Promise<string | null> {
  const { checkpoint, state, skipped } = await tab.manager.restore(id);
  if (checkpoint.step !== newest || (skipped.length > 0 && !lossy)) return "the new save is not the newest";
  if (!isState(state, id, newest)) return "the new save is not what was saved";
  const [oldest] = await tab.manager.checkpoints(id);
  if (oldest === undefined || (older && oldest.check === "damaged")) return null;
  return faultOfStep(tab, id, oldest.step, lossy);
}

/** It comes back as it was, from a chain that is not too long; or, where something was lost, not at all. */
async function faultOfStep(
  { manager }: Tab,
  id: string,
  step: number,
  lossy: boolean,
): Promise<string | null> {
  try {
    const { state, manifest } = await manager.read(id, step);
    if (!isState(state, id, step)) return `step ${step} is not what it was`;
    return manifest.chain < CHAIN_LENGTH ? null : `step ${step} is number ${manifest.chain} of its chain`;
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return lossy ? null : `step ${step} cannot be read: ${error.message}`;
  }
}

const prints = new Map<string, string>();

function isState(state: State, id: string, step: number): boolean {
  const key = `${id} ${step}`;
  const known = prints.get(key) ?? printOf(stateOf(id, step));
  prints.set(key, known);
  return printOf(state) === known;
}

/** A hash of our own: nothing of the store's digests goes into it. */
export function printOf({ tensors, scalars }: State): string {
  const hash = createHash("sha256").update(JSON.stringify(scalars));
  for (const { name, dtype, shape, values } of [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(`${name} ${dtype} ${shape.join()}`);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}
