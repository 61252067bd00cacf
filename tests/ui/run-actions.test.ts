/** What can be done with a run: each time all of it, and nothing that its buttons refuse. */
import { expect, suite, test, vi } from "vitest";
import { byKey } from "../../src/ui/action";
import { AppState } from "../../src/ui/app-state.svelte";
import { RunActions } from "../../src/ui/run-actions.svelte";
import { RunState } from "../../src/ui/run-state.svelte";
import { LiveRuns } from "../../src/worker/live";
import type { RunInfo } from "../../src/worker/protocol";
import { FakeHoldfast } from "../support/fake-holdfast";

const RUN = "spiralsdropout";

async function opened(status: RunInfo["status"] = "paused", step: number | null = null, id = RUN) {
  const api = new FakeHoldfast("full", { ticking: false });
  const app = new AppState(api);
  const run = new RunState(api, id);
  await Promise.all([app.refresh(), run.load()]);
  run.status = status;
  const place = { step };
  const select = vi.fn((wanted: number | null) => void (place.step = wanted));
  const actions = new RunActions(app, run, { step: () => place.step, select });
  const names = () => actions.actions.filter(({ isPossible }) => isPossible).map(({ name }) => name);
  return { api, app, run, actions, names, select };
}

suite("RunActions", () => {
  test.each([
    ["running", ["Pause", "Stop"], ["Step", "Resume", "Start", "Take over"]],
    ["paused", ["Resume", "Step", "Stop"], ["Pause", "Start", "Take over"]],
    ["interrupted", ["Resume"], ["Pause", "Step", "Stop"]],
    ["stopped", ["Resume", "More steps"], ["Pause", "Stop"]],
    ["finished", ["More steps"], ["Resume", "Pause", "Stop"]],
    ["failed", ["Notes"], ["Resume", "Pause", "More steps", "Learning rate"]],
    ["elsewhere", ["Take over"], ["Pause", "Resume", "More steps", "Learning rate"]],
  ] as const)("of a run that is %s", async (status, there, absent) => {
    const { names } = await opened(status);
    expect(names()).toEqual(expect.arrayContaining([...there]));
    for (const name of absent) expect(names()).not.toContain(name);
  });

  test("while it is paused nothing else changes whether it trains, and its button says so", async () => {
    const { api, actions, names } = await opened("running");
    let done = (): void => undefined;
    api.pause = () => new Promise((resolve) => (done = () => resolve({} as RunInfo)));
    const pausing = actions.course!.run();
    expect(actions.course).toMatchObject({ name: "Pause", underway: "Pausing…", isPossible: false });
    expect(names()).not.toContain("Stop");
    expect(byKey(actions.actions, "p")).toBeUndefined();
    done();
    await pausing;
    expect(actions.course).toMatchObject({ underway: null, isPossible: true });
  });

  test("a run that is brought back can be paused meanwhile, also where somebody has just pressed Resume", async () => {
    const { api, app, run, actions } = await opened("interrupted");
    const live = new LiveRuns();
    const phase = { kind: "replaying", done: 1, total: 5 } as const;
    live.apply({ kind: "phase", run: RUN, phase }, true);
    api.live = (id) => live.get(id);
    app.resume = () => new Promise(() => undefined);
    void actions.course!.run();
    expect(actions.course).toMatchObject({ name: "Resume", underway: "Resuming…" });
    run.phase = phase;
    for (const status of ["interrupted", "running"] as const) {
      run.status = status;
      expect(actions.course).toMatchObject({ name: "Pause", underway: null, isPossible: true });
    }
  });

  test("a run at its last step can take no further one", async () => {
    const { run, names } = await opened();
    expect(names()).toContain("Step");
    run.step = run.steps;
    expect(names()).not.toContain("Step");
  });

  test("with no step looked at a fork begins at the newest checkpoint, and its form opens there", async () => {
    const { run, actions, select } = await opened();
    const newest = run.latest!.step;
    byKey(actions.actions, "f")!.run();
    expect(select).toHaveBeenLastCalledWith(newest);
    const there = await opened("paused", newest);
    expect(there.names()).toEqual(expect.arrayContaining(["Fork from here", "Pin", "Test restore", "Close"]));
    void byKey(there.actions.actions, "f")!.run();
    expect(there.actions.asksForFork).toBe(true);
  });

  test("a step that is no checkpoint cannot be restored as a test", async () => {
    const { names } = await opened("paused", 41);
    expect(names()).toContain("Look at this step");
    expect(names()).not.toContain("Test restore");
  });

  test("only steps that there are can be gone to", async () => {
    const { actions, select } = await opened();
    expect([actions.toStep(821), actions.toStep(-1)]).toEqual([null, null]);
    void actions.toStep(41)!.run();
    expect(select).toHaveBeenLastCalledWith(41);
  });

  test("a fork is compared with its parent at the same step, before it began with another step of its own", async () => {
    const after = await opened("paused", 901, "shakespeareslower");
    expect(after.actions.stepLink).toBe("#/compare?a=shakespeare@901&b=shakespeareslower@901");
    const newest = after.run.latest!.step;
    expect(after.actions.compareLink).toBe(`#/compare?a=shakespeare@${newest}&b=shakespeareslower@${newest}`);
    const { actions } = await opened("paused", 600, "shakespeareslower");
    expect(actions.stepLink).toBe(`#/compare?a=shakespeareslower@600&b=shakespeareslower@${newest}`);
  });

  test("a fork that went on beyond its parent is compared with itself", async () => {
    const { app, api, actions } = await opened("paused", null, "shakespeareslower");
    const runs = await api.runs();
    api.runs = () =>
      Promise.resolve(runs.map((info) => (info.id === "shakespeare" ? { ...info, step: 700 } : info)));
    await app.refresh();
    expect(actions.compareLink).not.toContain("shakespeare@");
  });

  test("one menu is open at a time", async () => {
    const { actions } = await opened();
    actions.setOpen("Notes", true);
    actions.setOpen("Policy", true);
    expect([actions.isOpen("Notes"), actions.isOpen("Policy")]).toEqual([false, true]);
    actions.setOpen("Notes", false);
    expect(actions.isOpen("Policy")).toBe(true);
  });
});
