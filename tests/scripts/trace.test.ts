/** What is read out of a browser's trace, over one that is made up. */
import { expect, test } from "vitest";
import { frameTimes, mainThreadTasks, readTrace, type TraceEvent } from "../support/trace";

const PAGE = { pid: 1, tid: 1 };
const OTHER = { pid: 1, tid: 2 };

function event(name: string, ts: number, tdur: number, thread = PAGE): TraceEvent {
  return { name, ph: "X", ts, dur: tdur, tdur, ...thread };
}

const trace = {
  traceEvents: [
    { name: "thread_name", ph: "M", ts: 0, args: { name: "CrRendererMain" }, ...PAGE },
    { name: "thread_name", ph: "M", ts: 0, args: { name: "DedicatedWorker thread" }, ...OTHER },
    event("RunTask", 100, 2000),
    event("EventDispatch", 200, 1500),
    event("FunctionCall", 300, 1000),
    event("RunTask", 3000, 5000),
    event("Layout", 3100, 500),
    event("Paint", 4000, 900),
    event("Commit", 7000, 100),
    event("RunTask", 9000, 61_000),
    event("RunMicrotasks", 9001, 50_000),
    event("Commit", 69_000, 100),
    event("RunTask", 90_000, 1000),
    event("RunTask", 100, 900_000, OTHER),
  ],
};

test("the longest tasks are those of the page's own thread", () => {
  expect(mainThreadTasks(trace)).toEqual([61, 5, 2, 1]);
});

test("a frame has its scripts and its layout since the one before it, each once", () => {
  expect(frameTimes(trace)).toEqual([50, 2]);
});

test("what is no trace, and one without a page, is refused", () => {
  expect(() => readTrace("{}")).toThrow("wrote no trace");
  expect(() => mainThreadTasks({ traceEvents: [] })).toThrow("names no thread of a page");
});
