/** The open run of a trainer worker: its session, wired to the store and to the page. */
import { transfer } from "comlink";
import { Session } from "../engine/session";
import type { Position, SessionSignal, SessionStorage } from "../engine/session-parts";
import { HoldfastError } from "../errors";
import { buffersOf } from "../format/picture";
import { Progress } from "./progress";
import type {
  CheckpointInfo,
  JournalRows,
  Lease,
  Picture,
  Question,
  ResumeReport,
  RunEvent,
  RunRecord,
  RunStatus,
  RunStorageApi,
  SaveRequest,
  State,
  TrainEvent,
} from "./protocol";
import type { Workbench } from "./workbench";

/** Live pictures: not more often than this, and at most a tenth of the time, milliseconds. */
const PICTURE_SPACING_MS = 1500;
const PICTURE_SHARE = 9;

export interface OpenRunParts {
  readonly bench: Workbench;
  readonly lease: Lease;
  readonly storage: RunStorageApi;
  readonly emit: (event: TrainEvent, transfer?: Transferable[]) => void;
  readonly events: readonly RunEvent[];
  readonly status: RunStatus;
  readonly position: Position;
  readonly lastSavedStep: number;
  readonly report: ResumeReport;
  /** Why it was restored, in words; null for a run that was just made. */
  readonly reopened: string | null;
}

export class OpenRun {
  readonly record: RunRecord;
  readonly session: Session<CheckpointInfo>;
  readonly report: ResumeReport;
  readonly lease: Lease;
  visible = true;
  readonly #parts: OpenRunParts;
  readonly #progress: Progress;
  #restoredWhy: string | null;
  #savesSkipped = 0;
  #started: boolean;
  #drawing: Promise<void> | null = null;
  #drawn = 0;
  #nextPictureAt = 0;
  #closing = false;

  constructor(parts: OpenRunParts) {
    const { bench, emit } = parts;
    this.#parts = parts;
    this.record = bench.record;
    this.report = parts.report;
    this.lease = parts.lease;
    this.#restoredWhy = parts.reopened;
    this.#started = parts.events.some(({ kind }) => kind === "started");
    this.#progress = new Progress((rows, stepsPerSecond) => {
      emit({
        kind: "progress",
        run: this.record.id,
        step: rows.from + rows.loss.length - 1,
        steps: this.session.steps,
        stepsPerSecond,
        rows,
        savesSkipped: this.#savesSkipped,
        interval: this.session.interval,
      });
    });
    this.session = new Session<CheckpointInfo>({
      record: bench.record,
      trainable: bench.trainable,
      storage: sessionStorage(parts),
      events: parts.events,
      status: parts.status,
      position: parts.position,
      journalEnd: parts.position.step,
      lastSavedStep: parts.lastSavedStep,
      now: () => performance.now(),
      evaluate: () => bench.evaluate(),
      saveCost: ({ times }) => times.held + times.encode + times.write,
      signal: (signal) => {
        this.#hear(signal);
      },
    });
  }

  async go(): Promise<void> {
    const { checkpoint, replayed } = this.report;
    const why = this.#restoredWhy;
    if (!this.#started) await this.session.go({ kind: "started" });
    else if (why === null)
      await this.session.go({ kind: "resumed", from: this.session.step, replayed: 0, why: "" });
    else await this.session.go({ kind: "resumed", from: checkpoint, replayed, why });
    this.#started = true;
    this.#restoredWhy = null;
  }

  async stepOnce(): Promise<void> {
    await this.session.stepOnce();
    this.#progress.flush();
    // Nobody who steps by hand waits for a picture.
    void this.#drawLast();
  }

  /** As it is now; steps may go on meanwhile. */
  respond(question: Question): Promise<Picture> {
    return this.#parts.bench.respond(question, this.session.step);
  }

  async state(): Promise<State> {
    if (this.session.running) {
      throw new HoldfastError(
        "busy",
        "The run is training; its state changes with every step. Pause it first.",
      );
    }
    return this.#parts.bench.trainable.snapshot().read([]);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.session.close();
    await this.#drawing;
    this.#progress.flush();
    this.#parts.bench.dispose();
    await this.#parts.storage.release(this.#parts.lease).catch(() => undefined);
  }

  #hear(signal: SessionSignal<CheckpointInfo>): void {
    const { emit } = this.#parts;
    const run = this.record.id;
    switch (signal.kind) {
      case "rows":
        this.#progress.push(signal.rows);
        this.#drawSoon();
        return;
      case "first-step":
        emit({ kind: "phase", run, phase: { kind: signal.done ? "training" : "compiling" } });
        return;
      case "event":
        emit({ kind: "event", run, event: signal.event });
        return;
      case "status":
        // Whoever hears that the run rests has heard of its last step.
        this.#progress.flush();
        emit({ kind: "status", run, status: signal.status });
        if (signal.status !== "running") {
          emit({ kind: "phase", run, phase: { kind: "idle" } });
          void this.#drawLast();
        }
        return;
      case "saving":
        emit({ kind: "saving", run, step: signal.step });
        return;
      case "saved":
        emit({ kind: "saved", run, checkpoint: signal.checkpoint });
        return;
      case "save-skipped":
        this.#savesSkipped += 1;
        return;
      case "save-failed":
      case "trouble":
        this.#progress.flush();
        emit({ ...signal, run });
        return;
      default:
        signal satisfies never;
    }
  }

  #drawSoon(): void {
    if (this.visible && performance.now() >= this.#nextPictureAt) void this.#draw();
  }

  /** The state at rest, also where a picture of an earlier step is still being drawn. */
  async #drawLast(): Promise<void> {
    await this.#drawing;
    await this.#draw();
  }

  /** Draws beside the loop, from clones, so that no number of the run changes and no step waits for it. */
  #draw(): Promise<void> {
    if (!this.record.policy.draw || this.#closing) return Promise.resolve();
    this.#drawing ??= this.#drawNow().finally(() => {
      this.#drawing = null;
    });
    return this.#drawing;
  }

  async #drawNow(): Promise<void> {
    const start = performance.now();
    this.#nextPictureAt = Number.POSITIVE_INFINITY;
    try {
      const { bench, emit } = this.#parts;
      const { step } = this.session;
      const [picture, metrics] = await Promise.all([bench.picture(step), bench.evaluate()]);
      emit({ kind: "picture", run: this.record.id, picture, metrics }, buffersOf(picture));
    } catch {
      // A picture is a comfort: what failed it (a lost device) fails the next step too, and is told there.
    }
    // The first one compiles shaders, and says nothing about what the next will take.
    const took = this.#drawn++ === 0 ? 0 : performance.now() - start;
    this.#nextPictureAt = performance.now() + Math.max(PICTURE_SPACING_MS, took * PICTURE_SHARE);
  }
}

function sessionStorage(parts: OpenRunParts): SessionStorage<CheckpointInfo> {
  const { storage, lease, bench } = parts;
  return {
    appendJournal: (rows: JournalRows) => storage.appendJournal(lease, rows),
    appendEvent: (step, event, status) => storage.appendEvent(lease, step, event, status),
    save: async (state, rows, reason, metrics, times) => {
      const request: SaveRequest = { state, rows, reason, metrics, times, environment: bench.environment };
      const { checkpoint, buffers } = await storage.save(lease, transfer(request, stateBuffers(state)));
      bench.trainable.recycle(buffers);
      return checkpoint;
    },
  };
}

/** Each buffer once: small tensors may share one. */
function stateBuffers(state: State): ArrayBuffer[] {
  return [...new Set(state.tensors.map(({ values }) => values.buffer))];
}
