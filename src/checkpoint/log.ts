/** What goes into a run's log beside its checkpoints: events, and what a person does to the run as a whole. */
import { hasCode, HoldfastError } from "../errors";
import { encodeLogged } from "../format/log";
import type { Edit, RunEvent, RunEventBody, RunStatus } from "../format/run";
import type { AuditNote, Lease } from "../format/stored";
import { noted } from "../store/audit";
import { commitEdit, commitEvent } from "../store/commit";
import { checkOwner, findRun } from "../store/owner";
import type { Catalog, PackFacts, RunRow } from "../store/tables";
import { FrameSequence } from "./frames";
import { addAbout, beginLog, NO_EPOCH } from "./log-frames";
import type { OpenRuns } from "./open-runs";
import type { Clock } from "./write";

/** Two tabs that edit one run at the same time take turns. */
const MAX_ATTEMPTS = 5;

export class RunLog {
  readonly #runs: OpenRuns;
  readonly #catalog: Catalog;
  readonly #clock: Clock;

  constructor(runs: OpenRuns, catalog: Catalog, clock: Clock) {
    this.#runs = runs;
    this.#catalog = catalog;
    this.#clock = clock;
  }

  /** Appends an event, and sets the run's status with it. */
  async event(
    lease: Lease,
    step: number,
    body: RunEventBody,
    status: RunStatus | undefined,
  ): Promise<RunEvent> {
    // Asked before anything is written for nothing; what counts is the same question in the commit.
    await this.#catalog.read((tx) => checkOwner(tx, lease));
    return this.#runs.of(lease).writer.durably(
      async (add) => {
        const { run, before } = await this.#catalog.read(async (tx) => {
          const run = await findRun(tx, lease.run);
          return { run, before: run.log === null ? await tx.of("events", run.id) : [] };
        });
        const event: RunEvent = { seq: run.nextEvent, step, time: this.#clock.now(), ...body };
        const frames = new FrameSequence(add, lease, run.nextFrame, this.#clock.elapsed);
        const events = before.map(({ event }) => event);
        if (run.log === null) {
          await beginLog(frames, run.record, events);
          await addAbout(add, run.record, run);
        }
        const { place } = await frames.add("event", encodeLogged({ event, status: status ?? null }), "byte");
        return { event, log: place.pack, nextFrame: frames.next };
      },
      ({ event, log, nextFrame }, packs) =>
        this.#catalog.write("strict", async (tx) => {
          await commitEvent(tx, lease, { event, status: status ?? null, log, nextFrame, packs });
          const words = eventWords(event);
          const { run } = lease;
          if (words !== null)
            await noted(tx, { run, time: event.time, step: event.step, ms: null, ...words });
          return event;
        }),
    );
  }

  /**
   * Changes a run as a whole; `missing` where there is none. What makes room must not need any: where the disk is full,
   * that a run was removed is written down in the catalogue alone. If that is lost as well the run is back, no worse.
   */
  async edit(run: string, change: Edit | ((row: RunRow) => Edit)): Promise<void> {
    try {
      await this.#write(run, change);
    } catch (error) {
      if (typeof change === "function" || change.kind !== "removed" || !hasCode(error, "quota")) throw error;
      await inTurn(async () => this.#commit(run, change, (await this.#row(run)).edits + 1, null, []));
    }
  }

  async #write(run: string, change: Edit | ((row: RunRow) => Edit)): Promise<void> {
    const open = this.#runs.find(run);
    const writer = open?.writer ?? this.#runs.writer({ run, epoch: NO_EPOCH });
    try {
      await inTurn(() =>
        writer.durably(
          async (add) => {
            const row = await this.#row(run);
            const number = row.edits + 1;
            const edit = typeof change === "function" ? change(row) : change;
            const frames = new FrameSequence(add, { run, epoch: NO_EPOCH }, number, this.#clock.elapsed);
            const { place } = await frames.add("edit", encodeLogged(edit), "byte");
            return { edit, number, log: place.pack };
          },
          ({ edit, number, log }, packs) => this.#commit(run, edit, number, log, packs),
        ),
      );
    } finally {
      if (open === undefined) await writer.close();
    }
  }

  async #row(run: string): Promise<RunRow> {
    const row = await this.#catalog.read((tx) => tx.get("runs", run));
    if (row === undefined) throw new HoldfastError("missing", `The run ${run} was deleted for good.`);
    return row;
  }

  #commit(
    run: string,
    change: Edit,
    number: number,
    log: string | null,
    packs: readonly PackFacts[],
  ): Promise<boolean> {
    return this.#catalog.write("strict", async (tx) => {
      const isDone = await commitEdit(tx, run, { change, number, log, packs });
      if (isDone) await noted(tx, { run, time: this.#clock.now(), ms: null, ...wordsOf(change) });
      return isDone;
    });
  }
}

/** Null for what another entry tells, or nobody did. */
function eventWords(event: RunEvent): Pick<AuditNote, "what" | "why"> | null {
  switch (event.kind) {
    case "started":
    case "forked":
    case "evaluated":
      return null;
    case "changed":
      return { what: "changed", why: JSON.stringify(event.changes) };
    case "extended":
      return { what: "extended", why: `to ${event.steps} steps` };
    case "paused":
    case "resumed":
      return { what: event.kind, why: event.why };
    case "stopped":
      return {
        what: "stopped",
        why:
          event.best === undefined ? "" : `early: ${event.best.metric} was best at step ${event.best.step}`,
      };
    case "finished":
      return { what: "finished", why: "" };
    case "trouble":
      return { what: "failed", why: event.message };
    default:
      return event satisfies never;
  }
}

function wordsOf(change: Edit): Pick<AuditNote, "what" | "step" | "why"> {
  switch (change.kind) {
    case "renamed":
      return { what: "renamed", step: null, why: change.name };
    case "removed":
      return { what: "removed", step: null, why: "to the trash" };
    case "restored":
      return { what: "restored from the trash", step: null, why: "" };
    case "marked": {
      const { step, pinned, tags } = change.mark;
      return { what: "marked", step, why: [...(pinned ? ["pinned"] : []), ...tags].join(", ") };
    }
    case "described":
      return { what: "described", step: null, why: change.tags.join(", ") };
    case "policy":
      return { what: "policy", step: null, why: JSON.stringify(change.policy) };
    default:
      return change satisfies never;
  }
}

/** Again where another tab was faster. */
async function inTurn(attempt: () => Promise<boolean>): Promise<void> {
  for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) if (await attempt()) return;
  throw new HoldfastError("busy", "Other tabs change this run all the while. Try again.");
}
