import { expect, suite, test } from "vitest";
import { nextTask } from "../../src/engine/next-task";
import { HoldfastError } from "../../src/errors";
import { RECORD, finished, rig, trained, until, type Rig } from "../support/session-rig";

suite("the loop", () => {
  test("does all steps, journals each, saves by the policy and at the end", async () => {
    const { storage, trainable } = await trained();
    expect(trainable.submitted.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(storage.end).toBe(40);
    expect(storage.saved.map(({ step }) => step)).toEqual([10, 20, 30, 40]);
    expect(storage.saved.at(-1)?.reason).toBe("policy");
    expect(storage.order).toEqual(["started@0", "finished@40"]);
  });

  test("has at most four steps in flight", async () => {
    const { trainable } = await trained();
    expect(trainable.mostInFlight).toBeLessThanOrEqual(4);
    expect(trainable.mostInFlight).toBeGreaterThan(1);
  });

  test("steps go on while losses are read, until more wait than one transfer takes", async () => {
    const one = rig({ ...RECORD, steps: 3000, policy: { save: { kind: "never" }, draw: false } });
    let open: () => void = () => undefined;
    one.trainable.lossGate = new Promise<void>((resolve) => (open = resolve));
    await one.session.go({ kind: "started" });
    await until(() => one.session.step >= 1000);
    expect(one.storage.end).toBe(0);
    for (let turn = 0; turn < 200; turn += 1) await nextTask();
    expect(one.session.step).toBeLessThan(1200);
    open();
    await until(() => finished(one));
    expect(one.storage.end).toBe(3000);
  });

  test("no checkpoint is ahead of its journal", async () => {
    const { storage } = await trained();
    for (const saved of storage.saved) expect(saved.journalEnd).toBeGreaterThanOrEqual(saved.step);
  });

  test("a save that falls due while two are under way is skipped and counted", async () => {
    const one = rig();
    const save = one.storage.save.bind(one.storage);
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    one.storage.save = async (...args) => {
      await gate;
      return save(...args);
    };
    await one.session.go({ kind: "started" });
    await until(() => one.signals.some(({ kind }) => kind === "save-skipped"));
    expect(one.session.step).toBeGreaterThanOrEqual(30);
    open();
    await until(() => finished(one));
    expect(one.storage.saved.map(({ step }) => step)).toEqual([10, 20, 40]);
  });

  test("every snapshot is read or freed", async () => {
    const { trainable } = await trained();
    expect(trainable.snapshotsOpen).toBe(0);
  });

  test("a run without saves ends in the same state as one with them", async () => {
    const saving = await trained();
    const plain = await trained({ ...RECORD, policy: { save: { kind: "never" }, draw: false } });
    expect(plain.storage.saved).toEqual([]);
    expect(plain.trainable.state()).toEqual(saving.trainable.state());
  });
});

suite("what a person asks for", () => {
  test("pause takes effect at a boundary, with journal, checkpoint and event durable", async () => {
    const one = rig();
    await one.session.go({ kind: "started" });
    await until(() => one.session.step >= 13);
    await one.session.pause("asked");
    const { step } = one.session;
    expect(step).toBeLessThan(40);
    expect(one.storage.end).toBe(step);
    expect(one.storage.saved.at(-1)?.step).toBe(step);
    expect(one.storage.saved.at(-1)?.reason).toBe("pause");
    expect(one.storage.status).toBe("paused");
    expect(one.trainable.submitted).toHaveLength(step);
  });

  test("pause and go on gives the state of a run that never paused", async () => {
    const one = rig();
    await one.session.go({ kind: "started" });
    await until(() => one.session.step >= 7);
    await one.session.pause("asked");
    await one.session.go({ kind: "resumed", from: one.session.step, replayed: 0, why: "" });
    await until(() => finished(one));
    expect(one.trainable.state()).toEqual((await trained()).trainable.state());
  });

  test("go right after pause waits for the rest and then runs", async () => {
    const one = rig();
    await one.session.go({ kind: "started" });
    const pausing = one.session.pause("asked");
    await one.session.go({ kind: "resumed", from: 0, replayed: 0, why: "" });
    await pausing;
    await until(() => finished(one));
    expect(one.storage.order.at(-1)).toBe("finished@40");
  });

  test("a change is committed before the first step that uses it is submitted", async () => {
    const one = rig();
    let submittedAtCommit = -1;
    const append = one.storage.appendEvent.bind(one.storage);
    one.storage.appendEvent = async (step, event, status) => {
      const appended = await append(step, event, status);
      if (appended.kind === "changed") submittedAtCommit = one.trainable.submitted.length;
      return appended;
    };
    await one.session.go({ kind: "started" });
    await until(() => one.session.step >= 9);
    await one.session.change({ learningRate: 0.002 });
    const at = one.storage.events.find(({ kind }) => kind === "changed")?.step ?? -1;
    expect(submittedAtCommit).toBe(at);
    await until(() => finished(one));
    const rate = (step: number): number => one.trainable.submitted[step]?.learningRate ?? 0;
    expect(rate(at) / rate(at - 1)).toBeLessThan(0.3);
  });

  test("a change for a later step waits for it; one for an earlier step is refused", async () => {
    const one = rig();
    await one.session.change({ learningRate: 0.002 }, 20);
    await one.session.go({ kind: "started" });
    await until(() => one.session.step >= 5);
    await expect(one.session.change({ learningRate: 0.5 }, 2)).rejects.toMatchObject({ code: "invalid" });
    await until(() => finished(one));
    const rates = one.trainable.submitted.map(({ learningRate }) => learningRate);
    expect((rates[20] ?? 0) / (rates[19] ?? 1)).toBeCloseTo(0.2, 1);
  });

  test("a change made later for an earlier step does not overrule one that comes after it", async () => {
    const one = rig({
      ...RECORD,
      optimizer: {
        ...RECORD.optimizer,
        schedule: { ...RECORD.optimizer.schedule, kind: "constant", warmup: 0 },
      },
    });
    await one.session.change({ learningRate: 0.002 }, 20);
    await one.session.change({ learningRate: 0.005 }, 10);
    await one.session.go({ kind: "started" });
    await until(() => finished(one));
    const rates = one.trainable.submitted.map(({ learningRate }) => learningRate);
    expect([rates[9], rates[10], rates[19], rates[20], rates[39]]).toEqual(
      [0.01, 0.005, 0.005, 0.002, 0.002].map(Math.fround),
    );
  });

  test("more steps keep the schedule's horizon unless it is given", async () => {
    const one = await trained();
    await one.session.extend(5);
    expect(one.storage.status).toBe("paused");
    expect(one.session.steps).toBe(45);
    await one.session.go({ kind: "resumed", from: 40, replayed: 0, why: "" });
    await until(() => one.storage.order.includes("finished@45"));
    expect(one.trainable.submitted[44]?.learningRate).toBe(Math.fround(0.001));
  });

  test("one step by hand moves by one, journals it, and stays at rest", async () => {
    const one = rig();
    await one.session.stepOnce();
    await one.session.stepOnce();
    expect(one.session.step).toBe(2);
    expect(one.storage.end).toBe(2);
    expect(one.session.running).toBe(false);
  });

  test("hiding the page saves at once, and not again within half a minute", async () => {
    const one = rig(
      { ...RECORD, steps: 10_000, policy: { save: { kind: "steps", every: 9000 }, draw: false } },
      undefined,
      undefined,
      {
        now: (() => {
          let clock = 100_000;
          return () => (clock += 1);
        })(),
      },
    );
    await one.session.go({ kind: "started" });
    await until(() => one.session.step >= 3);
    await one.session.hide();
    await one.session.hide();
    await one.session.pause("asked");
    expect(one.storage.saved.filter(({ reason }) => reason === "hidden")).toHaveLength(1);
    expect(one.storage.end).toBe(one.session.step);
  });

  test("hiding the page flushes the journal at once, also while a step takes its time", async () => {
    const one = rig({ ...RECORD, policy: { save: { kind: "never" }, draw: false } });
    await one.session.go({ kind: "started" });
    await until(() => one.session.step >= 3);
    let open: () => void = () => undefined;
    one.trainable.gate = new Promise((resolve) => (open = resolve));
    const hidden = one.session.hide();
    open();
    await hidden;
    expect(one.storage.end).toBeGreaterThanOrEqual(3);
  });

  test("a change at rest and a step by hand right after it: the step uses the change", async () => {
    const one = rig();
    const changing = one.session.change({ clipNorm: 0.5 });
    await one.session.stepOnce();
    await changing;
    expect(one.trainable.submitted[0]?.clipNorm).toBe(0.5);
    expect(one.storage.events[0]).toMatchObject({ kind: "changed", step: 0 });
  });

  test("a change while the run is starting counts from the first step", async () => {
    const one = rig();
    const going = one.session.go({ kind: "started" });
    const changing = one.session.change({ clipNorm: 0.5 });
    await Promise.all([going, changing]);
    await until(() => finished(one));
    const at = one.storage.events.find(({ kind }) => kind === "changed")?.step ?? -1;
    expect(one.trainable.submitted.map(({ clipNorm }) => clipNorm)).toEqual(
      Array.from({ length: 40 }, (_, step) => (step < at ? 0 : 0.5)),
    );
  });

  test("a pause while the run is starting pauses it", async () => {
    const one = rig({ ...RECORD, steps: 100_000 });
    const going = one.session.go({ kind: "started" });
    await one.session.pause("asked");
    await going;
    expect(one.session.running).toBe(false);
    expect(one.storage.status).toBe("paused");
  });

  test("two starts at once are one", async () => {
    const one = rig();
    await Promise.all([one.session.go({ kind: "started" }), one.session.go({ kind: "started" })]);
    await until(() => finished(one));
    expect(one.storage.order).toEqual(["started@0", "finished@40"]);
  });

  test("more steps asked for while the last save is under way are not lost", async () => {
    const one = rig({ ...RECORD, steps: 5, policy: { save: { kind: "steps", every: 100 }, draw: false } });
    await one.session.go({ kind: "started" });
    await until(() => one.session.step === 5);
    await one.session.extend(3);
    await until(() => !one.session.running);
    if (one.storage.status !== "finished") {
      expect(one.storage.status).toBe("paused");
      await one.session.go({ kind: "resumed", from: 5, replayed: 0, why: "" });
    }
    await until(() => one.storage.order.includes("finished@8"));
  });

  test("a run that was restored as training is paused by a pause", async () => {
    const one = rig(RECORD, undefined, undefined, { status: "running" });
    await one.session.pause("opened");
    expect(one.storage.status).toBe("paused");
  });

  test("a run that was interrupted after its last step is finished by going on", async () => {
    const before = await trained();
    const one = rig(RECORD, before.storage, before.trainable, {
      status: "running",
      events: before.storage.events.slice(0, 1),
      position: { step: 40, samples: 80 },
      journalEnd: 40,
      lastSavedStep: 30,
    });
    await one.session.go({ kind: "resumed", from: 30, replayed: 10, why: "" });
    await until(() => one.storage.events.filter(({ kind }) => kind === "finished").length === 2);
    expect(one.storage.saved.at(-1)?.step).toBe(40);
  });

  test.each([
    ["from", (one: Rig) => one.session.change({ clipNorm: 1 }, 2.5)],
    ["from", (one: Rig) => one.session.change({ clipNorm: 1 }, Number.NaN)],
    ["another name", (one: Rig) => one.session.change({ learningRate: 0.1, momentum: 1 } as never)],
    ["steps", (one: Rig) => one.session.extend(0.5)],
    ["horizon", (one: Rig) => one.session.extend(1, Number.NaN)],
  ])("a malformed %s is refused before it is committed", async (_, ask) => {
    const one = rig();
    await expect(ask(one)).rejects.toMatchObject({ code: "invalid" });
    expect(one.storage.events).toEqual([]);
  });

  test("a setting that is named and left undefined does not become an event", async () => {
    const one = rig();
    await one.session.change({ learningRate: undefined, clipNorm: 1 } as never);
    expect(one.storage.events[0]).toMatchObject({ changes: { clipNorm: 1 } });
    expect(one.storage.events[0]).not.toHaveProperty("changes.learningRate");
  });

  test("a finished run neither goes nor steps until more steps are asked for", async () => {
    const one = await trained();
    await expect(one.session.go({ kind: "started" })).rejects.toMatchObject({ code: "busy" });
    await expect(one.session.stepOnce()).rejects.toMatchObject({ code: "busy" });
  });

  test.each([{ learningRate: 0 }, { learningRate: Number.NaN }, { learningRate: 11 }, { clipNorm: -1 }, {}])(
    "the change %o is refused",
    async (changes) => {
      const one = rig();
      await expect(one.session.change(changes)).rejects.toMatchObject({ code: "invalid" });
      expect(one.storage.events).toEqual([]);
    },
  );
});

suite("faults", () => {
  test("a loss that is not finite ends the run, named, and nothing after it is kept", async () => {
    const one = rig();
    one.trainable.breaksAt = 25;
    await one.session.go({ kind: "started" });
    await until(() => one.signals.some(({ kind }) => kind === "trouble"));
    const trouble = one.signals.find((signal) => signal.kind === "trouble");
    expect(trouble).toMatchObject({ code: "bad-numbers", step: 25 });
    expect(one.storage.end).toBe(25);
    expect(one.storage.saved.every(({ step }) => step < 25)).toBe(true);
    expect(one.storage.status).toBe("failed");
    expect(one.trainable.snapshotsOpen).toBe(0);
  });

  test("a bad number in a step by hand ends the run just the same", async () => {
    const one = rig();
    one.trainable.breaksAt = 2;
    await one.session.stepOnce();
    await expect(one.session.stepOnce()).rejects.toMatchObject({ code: "bad-numbers" });
    expect(one.storage.status).toBe("failed");
    expect(one.storage.events.at(-1)).toMatchObject({ kind: "trouble", step: 2 });
    await expect(one.session.go({ kind: "started" })).rejects.toMatchObject({ code: "bad-numbers" });
  });

  test("a state that cannot be evaluated is saved all the same", async () => {
    const one = rig(undefined, undefined, undefined, {
      evaluate: () => Promise.reject(new Error("no metric")),
    });
    await one.session.go({ kind: "started" });
    await until(() => one.session.step >= 13);
    await one.session.pause("asked");
    expect(one.storage.saved.at(-1)?.step).toBe(one.session.step);
  });

  test("a disk that is full at a pause leaves the run at rest, told, and able to go on", async () => {
    const one = rig();
    await one.session.go({ kind: "started" });
    await until(() => one.session.step >= 13);
    one.storage.failures.set("event", [new HoldfastError("quota", "The disk is full.")]);
    await expect(one.session.pause("asked")).rejects.toMatchObject({ code: "quota" });
    await one.session.go({ kind: "resumed", from: one.session.step, replayed: 0, why: "" });
    await until(() => finished(one));
    expect(one.storage.end).toBe(40);
  });

  test("an event that may or may not have been made ends the session, so that the store is asked anew", async () => {
    const one = rig();
    one.storage.failures.set("event", [new HoldfastError("refused", "The end of the commit is not known.")]);
    await expect(one.session.change({ clipNorm: 1 })).rejects.toMatchObject({ code: "refused" });
    await until(() => one.signals.some(({ kind }) => kind === "trouble"));
    await expect(one.session.stepOnce()).rejects.toMatchObject({ code: "refused" });
  });

  test("a writer that lost the run while it rested hears of it at once", async () => {
    const one = rig();
    one.storage.failures.set("event", [new HoldfastError("fenced", "Another tab has the run.")]);
    await expect(one.session.go({ kind: "started" })).rejects.toMatchObject({ code: "fenced" });
    await until(() => one.signals.some(({ kind }) => kind === "trouble"));
    expect(one.trainable.submitted).toEqual([]);
  });

  test("a save that the disk refuses is told; training goes on and saves again", async () => {
    const one = rig();
    one.storage.failures.set("save", [new HoldfastError("quota", "The disk is full.")]);
    await one.session.go({ kind: "started" });
    await until(() => finished(one));
    expect(one.signals.filter(({ kind }) => kind === "save-failed")).toMatchObject([
      { step: 10, code: "quota" },
    ]);
    expect(one.storage.saved.map(({ step }) => step)).toEqual([20, 30, 40]);
  });

  test("journal rows that were refused are sent again", async () => {
    const one = rig({ ...RECORD, policy: { save: { kind: "never" }, draw: false } });
    one.storage.failures.set("journal", [new HoldfastError("quota", "The disk is full.")]);
    await one.session.go({ kind: "started" });
    await until(() => finished(one));
    expect(one.storage.end).toBe(40);
  });

  test.each(["save", "journal"])("a writer that lost the run (%s) stops", async (name) => {
    const one = rig({ ...RECORD, steps: 100_000 });
    one.storage.failures.set(name, [new HoldfastError("fenced", "Another tab has the run.")]);
    await one.session.go({ kind: "started" });
    await until(() => one.signals.some(({ kind }) => kind === "trouble"));
    expect(one.signals.find(({ kind }) => kind === "trouble")).toMatchObject({ code: "fenced" });
    expect(one.session.running).toBe(false);
  });

  test("a device that is lost while a state is read back stops the run and stores nothing of it", async () => {
    const one = rig({ ...RECORD, steps: 100_000 });
    one.trainable.failRead = new HoldfastError("device-lost", "The GPU was lost.");
    await one.session.go({ kind: "started" });
    await until(() => one.signals.some(({ kind }) => kind === "trouble"));
    expect(one.signals.find(({ kind }) => kind === "trouble")).toMatchObject({ code: "device-lost" });
    expect(one.storage.saved).toEqual([]);
  });

  test("a call for the next boundary is answered even when the loop ends meanwhile", async () => {
    const one = rig();
    await one.session.go({ kind: "started" });
    await until(() => one.session.step >= 38);
    await Promise.all([one.session.change({ learningRate: 0.003 }), one.session.change({ clipNorm: 1 })]);
    await until(() => finished(one));
    expect(one.storage.events.filter(({ kind }) => kind === "changed")).toHaveLength(2);
  });
});
