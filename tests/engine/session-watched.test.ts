/** What a session makes of its evaluations and of losses that jump, also where it is interrupted. */
import { expect, suite, test } from "vitest";
import { nextTask } from "../../src/engine/next-task";
import { HoldfastError } from "../../src/errors";
import { cutRows } from "../../src/format/rows";
import type { RunEvent, RunRecord } from "../../src/format/run";
import { evaluationsOf } from "../../src/policy/evaluation";
import { ArrayStorage, RECORD, finished, rig, trained, until, type Rig } from "../support/session-rig";
import { ToyTrainable } from "../support/toy-trainable";

suite("evaluations", () => {
  const WATCHED = {
    ...RECORD,
    policy: {
      ...RECORD.policy,
      save: { kind: "steps", every: 25 },
      keep: [{ kind: "best", metric: "val_loss", mode: "min", count: 1 }],
      evaluate: 6,
    },
  } as const;
  const STOPPED = {
    ...WATCHED,
    policy: { ...WATCHED.policy, stop: { metric: "val_loss", mode: "min", patience: 2 } },
  } as const;
  /** Of the state: lowest at step 18. */
  function evaluating(one: { readonly trainable: ToyTrainable }): () => Promise<Record<string, number>> {
    return () => {
      const { step } = one.trainable.state().scalars;
      return Promise.resolve({ val_loss: Math.abs(step - 18) });
    };
  }
  /** The run in a new session, at a step of which `before` has a checkpoint. */
  function reopened(before: Rig, storage: ArrayStorage, at: number, parts = {}): Rig {
    const { state } = before.storage.saved.find(({ step }) => step === at)!;
    const { step, samples } = state.scalars;
    const where = { events: storage.events, position: { step, samples }, journalEnd: step };
    const one = watched(STOPPED, storage, { ...where, lastSavedStep: step, ...parts });
    one.trainable.restore(state);
    return one;
  }
  function watched(record: RunRecord, storage = new ArrayStorage(), parts = {}): Rig {
    const trainable = new ToyTrainable();
    return rig(record, storage, trainable, { evaluate: evaluating({ trainable }), ...parts });
  }

  test("are made at fixed steps, told as events, and what is best so far is saved with its metrics", async () => {
    const one = watched(WATCHED);
    await one.session.go({ kind: "started" });
    await until(() => finished(one));
    const steps = [6, 12, 18, 24, 30, 36];
    expect(one.storage.order).toEqual(["started@0", ...steps.map((at) => `evaluated@${at}`), "finished@40"]);
    expect(one.storage.saved.map(({ step, reason }) => `${reason}@${step}`)).toEqual([
      "improved@6",
      "improved@12",
      "improved@18",
      "policy@25",
      "end@40",
    ]);
    expect(one.storage.saved[2]?.metrics).toMatchObject({ val_loss: 0 });
    expect(one.trainable.state()).toEqual((await trained()).trainable.state());
  });

  test("that no longer get better stop the run at that very step, and name the best one", async () => {
    const one = watched(STOPPED);
    await one.session.go({ kind: "started" });
    await until(() => one.storage.status === "stopped");
    expect(one.session.step).toBe(30);
    expect(one.storage.events.at(-1)).toMatchObject({
      kind: "stopped",
      best: { metric: "val_loss", step: 18, value: 0 },
    });
    // It goes on when asked, with patience anew.
    await one.session.go({ kind: "resumed", from: 30, replayed: 0, why: "" });
    await until(() => finished(one));
    expect(one.session.step).toBe(40);
  });

  test("stop a run that was interrupted anywhere where they stop one that was not", async () => {
    for (let end = 1; end < 30; end += 1) {
      const storage = new ArrayStorage();
      const first = watched(STOPPED, storage);
      await first.session.go({ kind: "started" });
      await until(() => first.session.step >= end);
      await first.session.pause("asked");
      // It may have come to its end first.
      if (storage.events.at(-1)?.kind === "stopped") continue;
      const state = first.storage.saved.at(-1)!.state;
      const { step, samples } = state.scalars;
      const parts = { events: storage.events, position: { step, samples }, journalEnd: step };
      const second = watched(STOPPED, storage, { ...parts, lastSavedStep: step });
      second.trainable.restore(state);
      await second.session.go({ kind: "resumed", from: step, replayed: 0, why: "" });
      await until(() => storage.status === "stopped");
      expect(second.session.step, `interrupted at ${end}`).toBe(30);
      expect(storage.order.filter((event) => event.startsWith("evaluated"))).toHaveLength(5);
    }
  });

  test("stop a run that was paused right when the last of them was made, as soon as it goes on", async () => {
    const trainable = new ToyTrainable();
    const evaluate = evaluating({ trainable });
    const one: Rig = rig(STOPPED, new ArrayStorage(), trainable, {
      evaluate: () => {
        if (trainable.state().scalars.step === 30) void one.session.pause("asked");
        return evaluate();
      },
    });
    await one.session.go({ kind: "started" });
    await until(() => one.storage.status === "paused");
    await one.session.go({ kind: "resumed", from: 30, replayed: 0, why: "" });
    await until(() => one.storage.status === "stopped");
    expect(one.session.step).toBe(30);
  });

  test("that the journal has not come to are of a course that was cut off, and are made again", async () => {
    const storage = new ArrayStorage();
    const whole = watched(STOPPED);
    await whole.session.go({ kind: "started" });
    await until(() => whole.storage.status === "stopped");
    const wrong = { metrics: { val_loss: 99 } };
    storage.events.push(
      ...whole.storage.events
        .filter(({ kind }) => kind !== "stopped")
        .map((event) => (event.step > 25 ? { ...event, ...wrong } : event)),
    );
    storage.rows = cutRows(whole.storage.rows!, 1, 25);
    const one = reopened(whole, storage, 25);
    await one.session.go({ kind: "resumed", from: 25, replayed: 0, why: "" });
    await until(() => storage.status === "stopped");
    expect(one.session.step).toBe(30);
    const told = (events: readonly RunEvent[]) =>
      evaluationsOf(events).map(({ step, metrics }) => [step, metrics]);
    expect(told(storage.events)).toEqual(told(whole.storage.events));
  });

  test("whose save was lost with the tab are saved when the run comes back there", async () => {
    const whole = watched({ ...WATCHED, policy: { ...WATCHED.policy, save: { kind: "steps", every: 18 } } });
    await whole.session.go({ kind: "started" });
    await until(() => finished(whole));
    const storage = new ArrayStorage();
    storage.events.push(...whole.storage.events.filter(({ step }) => step <= 18));
    storage.rows = cutRows(whole.storage.rows!, 1, 18);
    const one = reopened(whole, storage, 18, { lastSavedStep: 12 });
    await one.session.go({ kind: "resumed", from: 18, replayed: 6, why: "" });
    await until(() => storage.status === "stopped");
    expect(storage.saved[0]).toMatchObject({ step: 18, reason: "improved", metrics: { val_loss: 0 } });
  });

  test("never have more states under way than saves may, and lose none of them", async () => {
    const one = watched({ ...WATCHED, policy: { ...WATCHED.policy, evaluate: 1 } });
    const save = one.storage.save.bind(one.storage);
    one.storage.save = async (...args) => {
      for (let turn = 0; turn < 20; turn += 1) await nextTask();
      return save(...args);
    };
    let most = 0;
    const snapshot = one.trainable.snapshot.bind(one.trainable);
    let open = 0;
    one.trainable.snapshot = () => {
      open += 1;
      most = Math.max(most, open);
      return snapshot();
    };
    await one.session.go({ kind: "started" });
    await until(() => {
      open = Math.max(
        0,
        one.signals.filter(({ kind }) => kind === "saving").length - one.storage.saved.length,
      );
      return finished(one);
    });
    expect(most).toBeLessThanOrEqual(3);
    const improved = one.storage.saved.filter(({ step }) => step <= 18).map(({ step }) => step);
    expect(improved).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
  });

  test("stand on every checkpoint of their step, whatever it was saved for", async () => {
    const one = watched({ ...WATCHED, policy: { ...WATCHED.policy, save: { kind: "steps", every: 12 } } });
    await one.session.go({ kind: "started" });
    await until(() => finished(one));
    const withMetric = one.storage.saved.filter(({ metrics }) => "val_loss" in metrics);
    expect(withMetric.map(({ step }) => step)).toEqual([6, 12, 18, 24, 36, 40]);
  });

  test("are made of a run that is stepped by hand too, and stop it", async () => {
    const one = watched(STOPPED);
    for (let step = 0; step < 30; step += 1) await one.session.stepOnce();
    expect(one.session.step).toBe(30);
    await one.session.stepOnce();
    expect(one.session.step).toBe(30);
    expect(one.storage.status).toBe("stopped");
    await one.session.stepOnce();
    expect(one.session.step).toBe(31);
  });

  test("that fail are told, and count for nothing", async () => {
    const one = rig(STOPPED, new ArrayStorage(), new ToyTrainable(), {
      evaluate: () => Promise.reject(new HoldfastError("internal", "No room for the held-out batch.")),
    });
    await one.session.go({ kind: "started" });
    await until(() => finished(one));
    expect(one.session.step).toBe(40);
    expect(one.signals.find(({ kind }) => kind === "save-failed")).toMatchObject({
      what: "evaluation",
      message: "No room for the held-out batch.",
    });
  });

  test("that the store refuses count for nothing, and the run goes on", async () => {
    const one = watched(STOPPED);
    await one.session.go({ kind: "started" });
    one.storage.failures.set("event", [new HoldfastError("quota", "The disk is full.")]);
    await until(() => one.storage.status === "stopped");
    expect(one.storage.order).not.toContain("evaluated@6");
    expect(one.signals.find(({ kind }) => kind === "save-failed")).toMatchObject({ code: "quota" });
    expect(one.session.step).toBe(30);
  });

  test("are not saved for a policy that never saves", async () => {
    const one = watched({ ...WATCHED, policy: { ...WATCHED.policy, save: { kind: "never" } } });
    await one.session.go({ kind: "started" });
    await until(() => finished(one));
    expect(one.storage.saved).toEqual([]);
  });
});

suite("a loss spike", () => {
  const LONG = { ...RECORD, steps: 300, policy: { ...RECORD.policy, spike: 50 } } as const;

  test("pauses the run and is named; going on is not paused by it again", async () => {
    const one = rig(LONG);
    one.trainable.spikesAt = 150;
    await one.session.go({ kind: "started" });
    await until(() => one.storage.status === "paused");
    expect(one.storage.events.at(-1)).toMatchObject({ kind: "paused", spike: { step: 150 } });
    expect(one.session.step).toBeLessThan(300);
    await one.session.go({ kind: "resumed", from: one.session.step, replayed: 0, why: "" });
    await until(() => finished(one));
  });

  test("is none of a policy that has no rule for it", async () => {
    const one = rig({ ...LONG, policy: RECORD.policy });
    one.trainable.spikesAt = 150;
    await one.session.go({ kind: "started" });
    await until(() => finished(one));
  });
});
