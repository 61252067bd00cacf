import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { HoldfastEvent } from "../../src/worker/api";
import { Events } from "../../src/worker/events";

/** Channels of tabs that hear each other at once. */
const channels = new Set<TabChannel>();

class TabChannel {
  #listener: ((message: { readonly data: unknown }) => void) | null = null;

  constructor() {
    channels.add(this);
  }

  addEventListener(_kind: string, listener: (message: { readonly data: unknown }) => void): void {
    this.#listener = listener;
  }

  postMessage(data: unknown): void {
    for (const other of channels) if (other !== this) other.#listener?.({ data: structuredClone(data) });
  }
}

/** What a tab heard, and of that what came from another one. */
function tab() {
  const heard: HoldfastEvent[] = [];
  const fromElsewhere: HoldfastEvent[] = [];
  const events = new Events((event) => fromElsewhere.push(event));
  const leave = events.subscribe((event) => heard.push(event));
  return { events, heard, fromElsewhere, leave };
}

const TRAINS: HoldfastEvent = { kind: "phase", run: "ra", phase: { kind: "training" } };

beforeEach(() => {
  vi.stubGlobal("BroadcastChannel", TabChannel);
});

afterEach(() => {
  channels.clear();
  vi.unstubAllGlobals();
});

test("what all are told is heard here and in another tab, which knows that it is elsewhere", () => {
  const here = tab();
  const there = tab();
  here.events.tellAll(TRAINS);
  expect([here.heard, there.heard]).toEqual([[TRAINS], [TRAINS]]);
  expect([here.fromElsewhere, there.fromElsewhere]).toEqual([[], [TRAINS]]);
  expect(here.events.live("ra")).toMatchObject({ here: true, phase: TRAINS.phase });
  expect(there.events.live("ra")).toMatchObject({ here: false, phase: TRAINS.phase });
});

test("what is told here alone stays here", () => {
  const here = tab();
  const there = tab();
  here.events.tell(TRAINS);
  here.events.notice("info", "ra", "It trains.");
  expect(here.heard).toEqual([TRAINS, { kind: "notice", level: "info", run: "ra", message: "It trains." }]);
  expect(there.heard).toEqual([]);
  expect(there.events.live("ra")).toBeNull();
});

/** A tab that puts down, in order, what it knew the run to be at when it heard of it. */
function watching() {
  const known: string[] = [];
  const know = (who: string) => known.push(`${who}: ${events.live("ra")?.phase.kind ?? "nothing"}`);
  const events = new Events(() => know("from elsewhere"));
  events.subscribe(() => know("listener"));
  return { events, known };
}

test("who listens is told once it is known, so that what is read then is not older than what was heard", () => {
  const { events, known } = watching();
  events.tell(TRAINS);
  expect(known).toEqual(["listener: training"]);
});

test("what another tab told is acted on first, then known, then heard", () => {
  const there = watching();
  tab().events.tellAll(TRAINS);
  expect(there.known).toEqual(["from elsewhere: nothing", "listener: training"]);
});

test("who left hears no more", () => {
  const { events, heard, leave } = tab();
  leave();
  events.tell(TRAINS);
  expect(heard).toEqual([]);
});
