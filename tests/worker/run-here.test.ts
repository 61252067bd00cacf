import { expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import type { HoldfastEvent, LiveRun } from "../../src/worker/api";
import { RunHere } from "../../src/worker/run-here";
import type { OpenOptions, RunDetail, TrainApi } from "../../src/worker/protocol";
import { codeOf } from "../support/run-samples";

type Status = RunDetail["status"];

const RUNS: HoldfastEvent = { kind: "runs" };

function phase(run: string, kind: "idle" | "restoring"): HoldfastEvent {
  return { kind: "phase", run, phase: { kind } };
}

/** A page whose workers put down what they are asked, in `asked`, and fail where `failing` has the call. */
function page() {
  const asked: string[] = [];
  /** In this page alone, and in all tabs. */
  const told: HoldfastEvent[] = [];
  const toldAll: HoldfastEvent[] = [];
  const failing = new Map<string, HoldfastError>();
  /** What a run is, and what it turns out to be once it was opened. */
  const statuses = new Map<string, Status>();
  const found = new Map<string, Status>();
  const policies = new Map<string, string>();
  let live: Pick<LiveRun, "here" | "phase"> | null = null;
  let resumed: string | null = null;
  let remembered: string | null = null;
  const rememberedAtOpen: (string | null)[] = [];

  const ask = (line: string): Promise<void> => {
    asked.push(line);
    const failure = failing.get(line.split(":")[0] ?? "");
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  };
  const worker = (name: string): TrainApi =>
    ({
      open: (run: string, { takeOver, why }: OpenOptions) => {
        rememberedAtOpen.push(remembered);
        const status = found.get(run);
        if (status !== undefined) statuses.set(run, status);
        return ask(`${name} open ${run}${takeOver ? " from elsewhere" : ""}: ${why}`);
      },
      go: () => ask(`${name} go`),
      pause: (why: string) => ask(`${name} pause: ${why}`),
      close: () => ask(`${name} close`),
      step: () => ask(`${name} step`),
      setPolicy: (policy: unknown) => ask(`${name} policy: ${String(policy)}`),
    }) as unknown as TrainApi;
  let trainer = worker("t1");

  const here = new RunHere({
    storage: () => ({
      detail: (id) =>
        Promise.resolve({
          id,
          name: id.toUpperCase(),
          step: 7,
          status: statuses.get(id) ?? "paused",
          record: { policy: policies.get(id) ?? "steady" },
        } as unknown as RunDetail),
      letGo: (run) => ask(`let go ${run}`),
    }),
    supervisor: () => ({
      trainer: () => Promise.resolve(trainer),
      expect: (run) => {
        asked.push(`expect ${run}`);
        remembered = run;
      },
      takeResume: () => resumed,
      resumeAfterReload: (run) => void (remembered = run),
    }),
    events: {
      live: () => live as LiveRun | null,
      tell: (event) => void told.push(event),
      tellAll: (event) => void toldAll.push(event),
      notice: (level, run, message) => void told.push({ kind: "notice", level, run, message }),
    },
  });
  return {
    here,
    told,
    toldAll,
    failing,
    statuses,
    found,
    policies,
    resume: (run: string) => here.resume(run, { takeOver: false, why: "asked" }),
    /** What was asked since the last time, without policies, which nobody waits for. */
    asked: () => asked.splice(0).filter((line) => !line.includes("policy")),
    policiesAsked: () => asked.splice(0).filter((line) => line.includes("policy")),
    replaceTrainer: () => void (trainer = worker("t2")),
    /** What events told of whichever run is asked for. */
    known: (now: typeof live) => void (live = now),
    /** What goes on by itself after the next reload: now, and whenever a run was being opened. */
    remembered: () => remembered,
    rememberedAtOpen,
    wasTraining: (run: string) => void (resumed = run),
    notices: () => told.flatMap((event) => (event.kind === "notice" ? [event.message] : [])),
  };
}

suite("one run at a time", () => {
  test("what is open is paused and saved first, and its event says for which it went", async () => {
    const { resume, asked, here } = page();
    await resume("a");
    expect(asked()).toEqual(["t1 open a: asked", "expect a", "t1 go"]);
    await resume("b");
    expect(asked()).toEqual([
      "t1 pause: “B” was resumed here",
      "expect null",
      "t1 close",
      "t1 open b: asked",
      "expect b",
      "t1 go",
    ]);
    expect([here.isOpen("a"), here.isOpen("b")]).toEqual([false, true]);
  });

  test("what is open already is not opened again", async () => {
    const { resume, asked, here } = page();
    await resume("a");
    asked();
    await here.openFor("a", (trainer) => trainer.step());
    expect(asked()).toEqual(["t1 step"]);
  });

  test("what is asked at once is done one after the other", async () => {
    const { resume, asked, here } = page();
    await Promise.all([resume("a"), here.openFor("b", (trainer) => trainer.step()), resume("c")]);
    expect(asked()).toEqual([
      "t1 open a: asked",
      "expect a",
      "t1 go",
      "t1 pause: “B” was opened here",
      "expect null",
      "t1 close",
      "t1 open b: asked",
      "t1 step",
      "t1 pause: “C” was resumed here",
      "expect null",
      "t1 close",
      "t1 open c: asked",
      "expect c",
      "t1 go",
    ]);
  });

  test("a run that is begun takes the place of the one that is open", async () => {
    const { resume, asked, here } = page();
    await resume("a");
    asked();
    await here.inTurn(() => here.begin("New", () => Promise.resolve("n")));
    expect(asked()).toEqual([
      "t1 pause: “New” was started here",
      "expect null",
      "t1 close",
      "expect n",
      "t1 go",
    ]);
    expect(here.isOpen("n")).toBe(true);
  });

  test("every tab is told that a run was begun", async () => {
    const { here, told, toldAll } = page();
    await here.inTurn(() => here.begin("New", () => Promise.resolve("n")));
    expect([told, toldAll]).toEqual([[], [RUNS]]);
  });

  test("every tab is told of a run that was made and then could not train", async () => {
    const { here, toldAll, failing } = page();
    failing.set("t1 go", new HoldfastError("device-lost", "The GPU went away."));
    const begun = here.inTurn(() => here.begin("New", () => Promise.resolve("n")));
    expect(await codeOf(begun)).toBe("device-lost");
    expect(toldAll).toEqual([RUNS]);
  });

  test("a run that is closed is at nothing any more in this page, and every tab is told to look anew", async () => {
    const { resume, here, told, toldAll } = page();
    await resume("a");
    expect([told, toldAll]).toEqual([[], []]);
    await here.inTurn(() => here.close());
    expect([told, toldAll]).toEqual([[phase("a", "idle")], [RUNS]]);
    // The control: nothing is open, so nothing happens to it.
    await here.inTurn(() => here.close());
    expect([told, toldAll]).toEqual([[phase("a", "idle")], [RUNS]]);
  });

  test("one that the dead worker had open is let go of in the store", async () => {
    const { resume, asked, failing } = page();
    await resume("a");
    asked();
    failing.set("t1 pause", new HoldfastError("worker-died", "It is dead."));
    await resume("b");
    expect(asked()).toEqual([
      "t1 pause: “B” was resumed here",
      "expect null",
      "let go a",
      "t1 open b: asked",
      "expect b",
      "t1 go",
    ]);
  });

  test("control: one that cannot be saved stays open, and no other one takes its place", async () => {
    const { resume, asked, failing, here, told, toldAll } = page();
    await resume("a");
    asked();
    failing.set("t1 pause", new HoldfastError("quota", "The disk is full."));
    expect(await codeOf(resume("b"))).toBe("quota");
    expect(asked()).toEqual(["t1 pause: “B” was resumed here"]);
    expect(here.isOpen("a")).toBe(true);
    expect([told, toldAll]).toEqual([[], []]);
  });

  test("a new trainer has nothing open, whatever the one before had", async () => {
    const { resume, asked, here, replaceTrainer } = page();
    await resume("a");
    asked();
    replaceTrainer();
    expect(await codeOf(here.pause("a"))).toBe("busy");
    await resume("a");
    expect(asked()).toEqual(["t2 open a: asked", "expect a", "t2 go"]);
    await here.pause("a");
    expect(asked()).toEqual(["t2 pause: asked"]);
  });

  test("what a trainer had open when it ended is free, and so is what it was about to open", async () => {
    const { resume, asked, here } = page();
    await resume("a");
    asked();
    here.ended("b");
    expect(asked()).toEqual(["let go b", "let go a"]);
    expect(here.isOpen("a")).toBe(false);
    here.ended(null);
    expect(asked()).toEqual([]);
  });

  test("every tab is told at once that those are at nothing, and to look anew when they are let go of", async () => {
    const { resume, here, told, toldAll } = page();
    await resume("a");
    here.ended("b");
    expect(toldAll).toEqual([phase("b", "idle"), phase("a", "idle")]);
    await expect.poll(() => toldAll.slice(2)).toEqual([RUNS, RUNS]);
    expect(told).toEqual([]);
  });

  test("control: of one that cannot be let go of, they are not told to look anew", async () => {
    const { here, failing, toldAll } = page();
    failing.set("let go b", new HoldfastError("worker-died", "It is dead."));
    here.ended("b");
    here.ended("c");
    await expect.poll(() => toldAll.slice(2)).toEqual([RUNS]);
  });
});

suite("resuming", () => {
  test("a run that ended with its tab, which is seen only once it is opened, is not gone on with", async () => {
    const { resume, asked, statuses, found, notices, toldAll } = page();
    statuses.set("a", "interrupted");
    found.set("a", "finished");
    expect((await resume("a")).status).toBe("finished");
    expect(asked()).toEqual(["t1 open a: asked", "expect null"]);
    expect(notices()).toEqual([expect.stringContaining("“A” had finished at step 7 when its tab ended")]);
    expect(toldAll).toEqual([phase("a", "idle"), RUNS]);
  });

  test.each(["interrupted", "finished"] as const)(
    "control: one that was seen to be %s is",
    async (status) => {
      const { resume, asked, statuses, notices } = page();
      statuses.set("a", status);
      await resume("a");
      expect(asked()).toEqual(["t1 open a: asked", "expect a", "t1 go"]);
      expect(notices()).toEqual([]);
    },
  );

  test("taken over, it is opened anew: another tab may have gone on with it", async () => {
    const { resume, asked, here } = page();
    await resume("a");
    asked();
    await here.resume("a", { takeOver: true, why: "taken over" });
    expect(asked()).toEqual([
      "t1 pause: the run was closed in this tab",
      "expect null",
      "t1 close",
      "t1 open a from elsewhere: taken over",
      "expect a",
      "t1 go",
    ]);
  });

  test("what does not go is not expected to go on by itself, and is at nothing any more", async () => {
    const { resume, asked, failing, told, toldAll, known } = page();
    failing.set("t1 go", new HoldfastError("device-lost", "The GPU is gone."));
    known({ here: true, phase: { kind: "compiling" } });
    expect(await codeOf(resume("a"))).toBe("device-lost");
    expect(asked()).toEqual(["t1 open a: asked", "expect a", "t1 go", "expect null"]);
    expect([told, toldAll]).toEqual([[phase("a", "idle")], []]);
  });

  test.each<[string, Pick<LiveRun, "here" | "phase"> | null]>([
    ["trains in another tab", { here: false, phase: { kind: "training" } }],
    ["is at nothing already", { here: true, phase: { kind: "idle" } }],
    ["nothing is known of", null],
  ])("control: of a run that %s, nothing is told when it does not go", async (_, now) => {
    const { resume, failing, told, toldAll, known } = page();
    failing.set("t1 open a", new HoldfastError("busy", "Another tab holds it."));
    known(now);
    expect(await codeOf(resume("a"))).toBe("busy");
    expect([told, toldAll]).toEqual([[], []]);
  });

  test("a run that trained when the page was loaded again goes on by itself", async () => {
    const { here, asked, told, wasTraining } = page();
    wasTraining("a");
    here.goOnAfterReload();
    expect(told).toEqual([phase("a", "restoring")]);
    await here.inTurn(() => Promise.resolve());
    expect(asked()).toEqual(["t1 open a: the page was loaded again", "expect a", "t1 go"]);
  });

  test("whoever loads the page again while a run is brought back has it brought back again", async () => {
    const { here, resume, remembered, rememberedAtOpen, wasTraining } = page();
    wasTraining("a");
    here.goOnAfterReload();
    expect(remembered()).toBe("a");
    await resume("b");
    expect(rememberedAtOpen).toEqual(["a", "b"]);
    await here.open("c");
    expect(rememberedAtOpen).toEqual(["a", "b", null]);
  });

  test("whoever pauses it meanwhile has it rest, though it could not be brought back", async () => {
    const { here, failing, wasTraining, remembered } = page();
    wasTraining("a");
    failing.set("t1 open a", new HoldfastError("adapter-missing", "It does not open."));
    here.goOnAfterReload();
    expect(await here.pause("a")).toMatchObject({ id: "a" });
    expect(remembered()).toBe(null);
    // The control: what nobody brings back cannot be paused.
    expect(await codeOf(here.pause("a"))).toBe("busy");
  });

  test("control: nothing does where none trained", async () => {
    const { here, asked, told } = page();
    here.goOnAfterReload();
    await here.inTurn(() => Promise.resolve());
    expect([asked(), told]).toEqual([[], []]);
  });

  test.each([
    ["adapter-missing", "a"],
    ["corrupt", null],
  ] as const)("where that fails as %s, it is told, and tried again as it may help", async (code, again) => {
    const { here, asked, failing, told, wasTraining, remembered } = page();
    wasTraining("a");
    failing.set("t1 open a", new HoldfastError(code, "It does not open."));
    here.goOnAfterReload();
    await expect
      .poll(() => told)
      .toEqual([
        phase("a", "restoring"),
        phase("a", "idle"),
        RUNS,
        { kind: "notice", level: "error", run: "a", message: "It does not open." },
      ]);
    expect(asked()).toEqual(["t1 open a: the page was loaded again", "expect null"]);
    expect(remembered()).toBe(again);
  });
});

suite("the policy", () => {
  test("is the one that the run has now, whichever tab set it", async () => {
    const { resume, here, policies, policiesAsked } = page();
    await resume("a");
    policies.set("a", "sparse");
    await here.usePolicy();
    expect(policiesAsked()).toEqual(["t1 policy: steady", "t1 policy: sparse"]);
  });

  test("is told to nobody where nothing is open", async () => {
    const { resume, here, policiesAsked } = page();
    await resume("a");
    await here.inTurn(() => here.close());
    policiesAsked();
    await here.usePolicy();
    expect(policiesAsked()).toEqual([]);
  });

  test("is not told to a trainer that lost the run while it was read", async () => {
    const { resume, here, policiesAsked } = page();
    await resume("a");
    policiesAsked();
    const told = here.usePolicy();
    here.lost();
    await told;
    expect(policiesAsked()).toEqual([]);
  });
});
