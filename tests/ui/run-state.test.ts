import { expect, suite, test } from "vitest";
import type { RunEvent, RunEventBody } from "../../src/format/run";
import { RunState } from "../../src/ui/run-state.svelte";
import type { HoldfastEvent, LiveRun } from "../../src/worker/api";
import type { CheckpointInfo, JournalRows, Picture, RunDetail } from "../../src/worker/protocol";
import { FakeHoldfast } from "../support/fake-holdfast";

const RUN = "spiralsdropout";

/** The made-up runs, with what one test says instead. */
class Scripted extends FakeHoldfast {
  emit: (event: HoldfastEvent) => void = () => undefined;
  liveRun: LiveRun | null = null;
  alter: (detail: RunDetail) => RunDetail = (detail) => detail;
  gate: Promise<void> = Promise.resolve();
  reads = 0;

  constructor() {
    super("full", { ticking: false });
  }
  override subscribe(listener: (event: HoldfastEvent) => void): () => void {
    this.emit = listener;
    return () => undefined;
  }
  override async detail(run: string): Promise<RunDetail> {
    this.reads += 1;
    const detail = await super.detail(run);
    await this.gate;
    return this.alter(detail);
  }
  override live(): LiveRun | null {
    return this.liveRun;
  }
}

async function opened(
  alter: (detail: RunDetail) => RunDetail = (detail) => detail,
): Promise<{ api: Scripted; run: RunState }> {
  const api = new Scripted();
  api.alter = alter;
  const run = new RunState(api, RUN);
  run.open();
  await expect.poll(() => run.loading).toBe(false);
  return { api, run };
}

function rows(from: number, losses: readonly number[]): JournalRows {
  return {
    from,
    loss: Float32Array.from(losses),
    rate: new Float32Array(losses.length),
    ms: new Float32Array(losses.length),
  };
}

function progress(from: number, losses: readonly number[]): HoldfastEvent {
  const step = from + losses.length - 1;
  return {
    kind: "progress",
    run: RUN,
    step,
    steps: 2000,
    stepsPerSecond: 9,
    rows: rows(from, losses),
    savesSkipped: 2,
    interval: null,
  };
}

function event(body: RunEventBody, step: number, seq = 1000 + step): HoldfastEvent {
  return { kind: "event", run: RUN, event: { seq, step, time: 0, ...body } };
}

function withEvents(
  ...events: readonly (readonly [number, RunEventBody])[]
): (detail: RunDetail) => RunDetail {
  return (detail) => ({
    ...detail,
    events: events.map(([step, body], seq): RunEvent => ({ seq, step, time: 0, ...body })),
  });
}

function saved(step: number): HoldfastEvent {
  const checkpoint: CheckpointInfo = {
    run: RUN,
    step,
    time: 1,
    reason: "asked",
    loss: 0.5,
    metrics: {},
    digest: "ab",
    rawBytes: 2,
    storedBytes: 1,
    check: "saved",
    rehearsed: null,
    times: { stall: 0, held: 0, readBack: 0, encode: 0, write: 0, commit: 0 },
  };
  return { kind: "saved", run: RUN, checkpoint };
}

suite("RunState", () => {
  test("a checkpoint is among the best by what was known when it was saved", async () => {
    const losses = [3, 1, 2, 0.5];
    const evaluated = losses.map(
      (val_loss, at) => [10 * at, { kind: "evaluated", metrics: { val_loss } }] as const,
    );
    const { run } = await opened(withEvents(...evaluated));
    const [any] = run.checkpoints;
    const at = (step: number, reason: CheckpointInfo["reason"]) => run.bestBy({ ...any!, step, reason });
    expect([0, 10, 20].map((step) => at(step, "improved"))).toEqual([
      ["val_loss"],
      ["val_loss"],
      ["val_loss"],
    ]);
    expect(at(10, "policy")).toEqual([]);
  });

  test("knows of its import by the audit log, and of none where that tells none", async () => {
    const { api, run } = await opened();
    expect(run.imported).toBeNull();
    const log = await api.audit(RUN);
    const entry = { ...log.entries[0]!, what: "imported" as const, why: "from “mine.holdfast”" };
    api.audit = () => Promise.resolve({ ...log, entries: [entry, ...log.entries] });
    await run.load();
    expect(run.imported).toEqual(entry);
  });

  test("shows what was stored", async () => {
    const { run } = await opened();
    expect([run.status, run.step, run.steps, run.losses.last, run.failed]).toEqual([
      "paused",
      820,
      2000,
      820,
      null,
    ]);
    expect(run.latest?.step).toBe(800);
    expect(run.metrics).not.toHaveProperty("loss");
  });

  test("progress appends rows and bumps the revision", async () => {
    const { run } = await opened();
    const before = run.revision;
    run.apply(progress(821, [0.25, 0.125]));
    expect([
      run.step,
      run.loss,
      run.losses.last,
      run.losses.lossAt(822),
      run.stepsPerSecond,
      run.savesSkipped,
    ]).toEqual([822, 0.125, 822, 0.125, 9, 2]);
    expect(run.revision).toBeGreaterThan(before);
  });

  test("events of other runs change nothing", async () => {
    const { run } = await opened();
    run.apply({
      kind: "progress",
      run: "another",
      step: 821,
      steps: 9,
      stepsPerSecond: 9,
      rows: rows(821, [0.25]),
      savesSkipped: 0,
      interval: null,
    });
    run.apply({ kind: "status", run: "another", status: "failed" });
    expect([run.step, run.status]).toEqual([820, "paused"]);
  });

  test("events that come while it is read are applied afterwards, once", async () => {
    const api = new Scripted();
    let release = (): void => undefined;
    api.gate = new Promise((resolve) => (release = resolve));
    const run = new RunState(api, RUN);
    run.open();
    api.emit({ kind: "status", run: RUN, status: "running" });
    api.emit(progress(821, [0.25]));
    api.emit(saved(821));
    expect([run.loading, run.step]).toEqual([true, 0]);
    release();
    await expect.poll(() => run.loading).toBe(false);
    expect([run.status, run.step, run.latest?.step, run.losses.last]).toEqual(["running", 821, 821, 821]);
  });

  test("a gap in the rows makes it read the journal again", async () => {
    const { api, run } = await opened();
    expect(api.reads).toBe(1);
    run.apply(progress(830, [0.25]));
    await expect.poll(() => api.reads).toBe(2);
    expect(run.losses.lossAt(830)).toBeNull();
  });

  test("checkpoints stay in order, and one saved again replaces the older", async () => {
    const { run } = await opened();
    const before = run.checkpoints.length;
    run.apply(saved(410));
    run.apply(saved(800));
    const steps = run.checkpoints.map((checkpoint) => checkpoint.step);
    expect(steps.length).toBe(before + 1);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(run.checkpoints.find((checkpoint) => checkpoint.step === 800)?.digest).toBe("ab");
  });

  test("a failed save is told until one succeeds", async () => {
    const { run } = await opened();
    run.apply({ kind: "saving", run: RUN, step: 821 });
    expect(run.saving).toBe(true);
    run.apply({
      kind: "save-failed",
      what: "checkpoint",
      run: RUN,
      step: 821,
      code: "quota",
      message: "The disk is full.",
    });
    expect([run.saving, run.saveFailure]).toEqual([
      false,
      { what: "checkpoint", step: 821, message: "The disk is full." },
    ]);
    run.apply(saved(822));
    expect(run.saveFailure).toBeNull();
  });

  test("an event told twice is listed once", async () => {
    const { run } = await opened();
    const before = run.events.length;
    run.apply(event({ kind: "stopped" }, 821));
    run.apply(event({ kind: "stopped" }, 821));
    expect(run.events.length).toBe(before + 1);
  });

  test("the rate in force is the record's until a change, then the last change's", async () => {
    const { run } = await opened();
    expect(run.settings.learningRate).toBe(run.record?.optimizer.learningRate);
    run.apply(event({ kind: "changed", changes: { learningRate: 0.25 } }, 821));
    run.apply(event({ kind: "changed", changes: { clipNorm: 2 } }, 822));
    expect(run.settings).toEqual({ learningRate: 0.25, clipNorm: 2 });
  });

  test("an extension counts from its event on", async () => {
    const { run } = await opened();
    run.apply(event({ kind: "extended", steps: 2500 }, 821));
    expect(run.steps).toBe(2500);
  });

  test("running in another tab is said so, here it is plain running", async () => {
    const { api, run } = await opened();
    run.apply({ kind: "status", run: RUN, status: "running" });
    expect(run.status).toBe("running");
    api.liveRun = {
      run: RUN,
      phase: { kind: "training" },
      step: 0,
      steps: 0,
      stepsPerSecond: null,
      savesSkipped: 0,
      interval: null,
      lastSave: null,
      saving: false,
      resumed: null,
      picture: null,
      here: false,
    };
    run.apply({ kind: "status", run: RUN, status: "running" });
    expect(run.status).toBe("elsewhere");
  });

  test("rest clears speed and saving", async () => {
    const { run } = await opened();
    run.apply(progress(821, [0.25]));
    run.apply({ kind: "saving", run: RUN, step: 821 });
    run.apply({ kind: "status", run: RUN, status: "paused" });
    expect([run.stepsPerSecond, run.saving]).toEqual([null, false]);
  });

  test("a run that is not there is missing, not broken", async () => {
    const api = new Scripted();
    const run = new RunState(api, "nothere");
    await run.load();
    expect(run.failed?.missing).toBe(true);
  });
});

suite("bad numbers", () => {
  const trouble = { kind: "trouble", code: "bad-numbers", message: "NaN" } as const;

  test("a stored trouble is shown, with the newest checkpoint before it", async () => {
    const { run } = await opened(
      withEvents([0, { kind: "started" }], [790, trouble], [790, { kind: "paused", why: "NaN" }]),
    );
    expect(run.trouble).toEqual({ step: 790, code: "bad-numbers", message: "NaN" });
    expect(run.lastGood?.step).toBe(760);
  });

  test("it is over once the run was resumed", async () => {
    const { run } = await opened(
      withEvents([790, trouble], [760, { kind: "resumed", from: 760, replayed: 0, why: "" }]),
    );
    expect(run.trouble).toBeNull();
  });

  test("a run that another tab took over is in no trouble here", async () => {
    const { run } = await opened();
    const told = { run: RUN, code: "fenced", message: "lost at epoch 1", step: 41 } as const;
    run.apply({ kind: "status", run: RUN, status: "running" });
    run.apply({ kind: "save-failed", what: "losses", ...told });
    run.apply({ kind: "trouble", ...told });
    // Before the other tab says that it trains, and not after it paused there.
    expect(run.status).toBe("elsewhere");
    run.apply({ kind: "status", run: RUN, status: "paused" });
    run.apply({ kind: "trouble", ...told });
    expect(run.status).toBe("paused");
    expect(run.saveFailure).toBeNull();
    expect(run.trouble).toBeNull();
    run.apply({ kind: "save-failed", what: "losses", ...told, code: "quota" });
    expect(run.saveFailure).not.toBeNull();
  });

  test("the state that a bad loss was computed from is no good one", async () => {
    const { run } = await opened();
    run.apply({ kind: "trouble", run: RUN, code: "bad-numbers", message: "NaN", step: 41 });
    expect(run.lastGood?.step).toBeLessThan(40);
  });

  test("it comes live, and goes when training goes on", async () => {
    const { run } = await opened();
    expect(run.lastGood).toBeNull();
    run.apply({ kind: "trouble", run: RUN, code: "bad-numbers", message: "NaN", step: 42 });
    expect(run.lastGood?.step).toBe(40);
    run.apply({ kind: "status", run: RUN, status: "running" });
    expect(run.trouble).toBeNull();
  });
});

test("a picture is old where steps went on without another, and not while each comes as the one before it", async () => {
  const { api, run } = await opened();
  const draw = (step: number) =>
    api.emit({ kind: "picture", run: RUN, picture: { step, panels: [] }, metrics: {} });
  const train = (step: number) => {
    run.step = step;
    return run.pictureBehind;
  };
  draw(820);
  draw(880);
  expect([train(930), train(1060)]).toEqual([null, null]);
  // Three times as long as the one before it took.
  expect(train(1061)).toBe(181);
  draw(1061);
  expect(run.pictureBehind).toBeNull();
});

test("a picture that comes while an older one is on its way stays", async () => {
  const { api, run } = await opened();
  await expect.poll(() => run.picture?.step).toBe(820);
  let answer: (picture: Picture) => void = () => undefined;
  api.picture = () => new Promise((resolve) => (answer = resolve));
  run.step = 960;
  api.emit({ kind: "status", run: RUN, status: "paused" });
  api.emit({ kind: "picture", run: RUN, picture: { step: 950, panels: [] }, metrics: {} });
  answer({ step: 900, panels: [] });
  await Promise.resolve();
  expect(run.picture?.step).toBe(950);
});

test("a run that rests again is drawn as it is then, also where none came while it trained", async () => {
  const { api, run } = await opened();
  await expect.poll(() => run.picture?.step).toBe(820);
  api.emit({ kind: "status", run: RUN, status: "running" });
  run.step = 900;
  api.picture = () => Promise.resolve({ step: 900, panels: [] });
  api.emit({ kind: "status", run: RUN, status: "paused" });
  await expect.poll(() => run.picture?.step).toBe(900);
});
