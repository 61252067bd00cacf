/** What a trace of Chromium says of the page's own thread. Times are those that the processor worked for it. */
import type { Browser, Page } from "@playwright/test";

export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds: when it began, how long it took, and how long its thread worked for it. */
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: unknown };
}

export interface Trace {
  readonly traceEvents: readonly TraceEvent[];
}

/** Of what the page does while `body` runs. */
export async function traced(browser: Browser, page: Page, body: () => Promise<void>): Promise<Trace> {
  await browser.startTracing(page, {
    categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "__metadata"],
  });
  await body();
  return readTrace((await browser.stopTracing()).toString());
}

/** From the text that the browser writes. */
export function readTrace(text: string): Trace {
  const read: unknown = JSON.parse(text);
  if (!isTrace(read)) throw new Error("The browser wrote no trace: it has no list of events.");
  return read;
}

function isTrace(value: unknown): value is Trace {
  return (
    typeof value === "object" && value !== null && "traceEvents" in value && Array.isArray(value.traceEvents)
  );
}

const SCRIPT_AND_LAYOUT: ReadonlySet<string> = new Set([
  "EventDispatch",
  "FunctionCall",
  "RunMicrotasks",
  "TimerFire",
  "FireAnimationFrame",
  "FireIdleCallback",
  "MajorGC",
  "MinorGC",
  "UpdateLayoutTree",
  "Layout",
  "PrePaint",
]);
const TASK = "RunTask";
/** The end of a frame on the page's thread: it hands what it has made to the compositor. */
const FRAME_END = "Commit";

/** The thread of the page: the main thread of the renderer that has most to tell. */
function pageEvents({ traceEvents }: Trace): readonly TraceEvent[] {
  const threads = traceEvents.filter(
    ({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain",
  );
  const lists = threads.map(({ pid, tid }) =>
    traceEvents.filter((event) => event.pid === pid && event.tid === tid),
  );
  const most = lists.sort((a, b) => b.length - a.length)[0];
  if (most === undefined) throw new Error("The trace names no thread of a page.");
  return [...most].sort((a, b) => a.ts - b.ts);
}

function tasks(events: readonly TraceEvent[]): readonly { readonly ts: number; readonly ms: number }[] {
  return events
    .filter(({ name, ph }) => name === TASK && ph === "X")
    .map(({ ts, tdur = 0 }) => ({ ts, ms: tdur / 1000 }));
}

/** How long each task took, ms, longest first. */
export function mainThreadTasks(trace: Trace): readonly number[] {
  return tasks(pageEvents(trace))
    .map(({ ms }) => ms)
    .sort((a, b) => b - a);
}

/** Script and layout of each frame, ms, longest first. Painting and what the browser does beside them are not among it. */
export function frameTimes(trace: Trace): readonly number[] {
  const events = pageEvents(trace);
  const ends = events.filter(({ name, ph }) => name === FRAME_END && ph === "X").map(({ ts }) => ts);
  const frames = new Array<number>(ends.length).fill(0);
  let frame = 0;
  let until = 0;
  for (const { name, ph, ts, dur = 0, tdur = 0 } of events) {
    // What runs within another one of them is counted with that.
    if (ph !== "X" || !SCRIPT_AND_LAYOUT.has(name) || ts < until) continue;
    until = ts + dur;
    while (frame < ends.length && ts > (ends[frame] ?? 0)) frame += 1;
    if (frame < ends.length) frames[frame] = (frames[frame] ?? 0) + tdur / 1000;
  }
  return frames.sort((a, b) => b - a);
}

/** Of times, the longest first. */
export function p95(times: readonly number[]): number {
  return times[Math.floor(times.length * 0.05)] ?? Number.NaN;
}
