/** The settings screen: the policy of new runs as a form, and what the browser is asked for. */
import { beforeEach, expect, suite, test } from "vitest";
import { NewRunState } from "../../src/ui/new-run-state.svelte";
import type { Permission } from "../../src/ui/notifications";
import { DEFAULTS } from "../../src/ui/settings";
import { SettingsForm } from "../../src/ui/settings-form.svelte";
import { SettingsState } from "../../src/ui/settings-state.svelte";
import type { StartOptions } from "../../src/worker/api";
import { DRAW, KEEP, SAVE_KIND } from "../../src/tasks/training-fields";
import { POLICIES } from "../../src/policy/presets";
import { FakeHoldfast } from "../support/fake-holdfast";

let settings: SettingsState;
let form: SettingsForm;
let given: Permission;
let promises: () => Promise<boolean>;

function opened(): SettingsForm {
  return new SettingsForm(settings, {
    permission: () => given,
    askPermission: async () => given,
    persist: () => promises(),
  });
}

beforeEach(() => {
  settings = new SettingsState(null);
  given = "granted";
  promises = async () => true;
  form = opened();
});

function every() {
  return form.fields[1]!;
}

/** What the form of a new run asks for when nothing is touched. */
async function asked(): Promise<StartOptions["policy"]> {
  const api = new FakeHoldfast("empty", { ticking: false });
  let options: StartOptions | undefined;
  api.start = async (wanted) => {
    options = wanted;
    return "run";
  };
  await new NewRunState(api, 1, settings.now).start();
  return options?.policy;
}

suite("the policy of new runs", () => {
  test("is the steady one at first", async () => {
    expect(await asked()).toMatchObject({ ...POLICIES.steady, draw: true });
  });

  test("is what was set: how often, what is kept, and whether it draws", async () => {
    form.set("policy", SAVE_KIND, "seconds");
    form.set("policy", every(), "30");
    form.set("policy", KEEP, "lean");
    form.set("policy", DRAW, false);
    expect(await asked()).toMatchObject({
      save: { kind: "seconds", every: 30 },
      keep: POLICIES.lean.keep,
      draw: false,
    });
  });

  test("goes before the steps that a preset says, in each of them", async () => {
    form.set("policy", SAVE_KIND, "steps");
    form.set("policy", every(), "37");
    const run = new NewRunState(new FakeHoldfast("empty", { ticking: false }), 1, settings.now);
    for (const preset of ["tiny", "small", "medium"] as const) {
      run.usePreset(preset);
      expect(run.value("policy", run.saveEvery)).toBe("37");
    }
  });

  test("that was set to save by itself leaves a preset's steps to who chooses steps", () => {
    const run = new NewRunState(new FakeHoldfast("empty", { ticking: false }), 1, settings.now);
    const { saveEvery } = run.task!.presets.small;
    run.set("policy", SAVE_KIND, "steps");
    expect(run.value("policy", run.saveEvery)).toBe(String(saveEvery));
  });

  test("another kind begins with its own default", () => {
    form.set("policy", every(), "9");
    form.set("policy", SAVE_KIND, "epochs");
    expect(settings.now).toMatchObject({ saveKind: "epochs", saveEvery: every().default });
  });

  test("what is out of range stands there with what is wrong, and holds nowhere", () => {
    form.set("policy", every(), "0");
    expect(form.value("policy", every())).toBe("0");
    expect(form.error("policy", every())).toMatch(/From 0.1/);
    expect(settings.now.saveEvery).toBe(DEFAULTS.saveEvery);
    form.set("policy", every(), "0.5");
    expect(form.error("policy", every())).toBeNull();
    expect(settings.now.saveEvery).toBe(0.5);
  });

  test("what is out of range goes when all is reset", () => {
    form.set("policy", KEEP, "lean");
    form.set("policy", every(), "much");
    settings.reset();
    expect(form.value("policy", every())).toBe(String(DEFAULTS.saveEvery));
    expect(form.value("policy", KEEP)).toBe(DEFAULTS.keep);
  });
});

suite("notifications", () => {
  test("are on once the browser allows them, and off without being asked about", async () => {
    await form.notify("notifyEnd", true);
    expect(settings.now).toMatchObject({ notifyEnd: true, notifyTrouble: false });
    given = "denied";
    await form.notify("notifyEnd", false);
    expect(settings.now.notifyEnd).toBe(false);
    expect(form.refused).toBeNull();
  });

  test.each([
    ["denied", /refuses.*Allow them in its settings/],
    ["default", /switch this on again/],
    ["none", /no notifications.*home screen/],
  ] as const)("stay off where the answer is %s, with the remedy", async (answer, words) => {
    given = answer;
    await form.notify("notifyTrouble", true);
    expect(settings.now.notifyTrouble).toBe(false);
    expect(form.refused).toMatch(words);
  });

  test("that were switched on, and are refused by now, say so when the screen is opened", () => {
    settings.change({ notifyEnd: true });
    expect(opened().refused).toBeNull();
    given = "denied";
    expect(opened().refused).toMatch(/refuses/);
  });
});

test("a browser that does not promise to keep what is stored is quoted with the remedy", async () => {
  promises = async () => false;
  expect(await form.persist()).toBe(false);
  expect(form.notPersisted).toMatch(/install Holdfast as an app/);
  promises = async () => {
    throw new TypeError("not here");
  };
  expect(await form.persist()).toBe(false);
  promises = async () => true;
  expect(await form.persist()).toBe(true);
  expect(form.notPersisted).toBeNull();
});
