import { afterEach, beforeEach, expect, suite, test, vi } from "vitest";
import type { Config, DataPreview } from "../../src/worker/protocol";
import { NewRunState } from "../../src/ui/new-run-state.svelte";
import { DEFAULTS } from "../../src/ui/settings";
import { FakeHoldfast } from "../support/fake-holdfast";

/** Longer than any pause between two digits that the form waits for. */
const LONG_MS = 5000;
const SEEN: DataPreview = { notes: ["344 rows."], panels: [] };

/** Answers when it is told to, and remembers with which settings it was asked. */
class Reader extends FakeHoldfast {
  readonly asked: Config[] = [];
  readonly pending: ((preview: DataPreview | Error) => void)[] = [];

  override previewData(_task: string, _hash: string, config: Config): Promise<DataPreview> {
    this.asked.push(config);
    return new Promise((resolve, reject) => {
      this.pending.push((answer) => {
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
    });
  }
}

/** What waits for `passed` goes on once `open` was called. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

let api: Reader;
let form: NewRunState;

beforeEach(async () => {
  vi.useFakeTimers();
  api = new Reader("empty", { ticking: false });
  form = new NewRunState(api, 1, DEFAULTS);
  form.choose("table");
  const taken = form.takeData([{ path: "mine.csv", file: new Blob(["a,b\n"]) }]);
  await vi.advanceTimersByTimeAsync(LONG_MS);
  await taken;
});
afterEach(() => {
  vi.useRealTimers();
});

async function set(name: string, value: string): Promise<void> {
  const field = form.task?.fields.find((one) => one.name === name);
  if (field !== undefined) form.set("config", field, value);
  await vi.advanceTimersByTimeAsync(0);
}

async function answer(at: number, preview: DataPreview | Error): Promise<void> {
  api.pending[at]?.(preview);
  await vi.advanceTimersByTimeAsync(0);
}

suite("settings of one's own data", () => {
  test("that nothing can be trained with keep the run from being started while they stand", async () => {
    expect(form.valid).toBe(true);
    await set("problem", "regression");
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await answer(0, { ...SEEN, problem: "The target holds no numbers." });
    expect(form.data.problem).toBe("The target holds no numbers.");
    expect(form.valid).toBe(false);
    expect(await form.start()).toBeNull();
    await set("problem", "auto");
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(form.valid).toBe(false);
    await answer(1, SEEN);
    expect(form.data.problem).toBeNull();
    expect(form.valid).toBe(true);
    expect(api.asked.map(({ problem }) => problem)).toEqual(["regression", "auto"]);
  });

  test("are read once they are typed, not digit by digit, and not where they are wrong by themselves", async () => {
    for (const typed of ["3", "30", "300", "30"]) await set("heldOut", typed);
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(api.asked.map(({ heldOut }) => heldOut)).toEqual([30]);
    await set("heldOut", "300");
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(api.asked).toHaveLength(1);
  });

  test("that were changed meanwhile are not answered for, and neither is data that was let go of", async () => {
    await set("heldOut", "30");
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await set("heldOut", "40");
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await answer(1, { ...SEEN, notes: ["the second"] });
    await answer(0, { ...SEEN, notes: ["the first"] });
    expect(form.data.stored?.preview.notes).toEqual(["the second"]);
    await set("heldOut", "50");
    form.dropData();
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(api.asked).toHaveLength(2);
    expect(form.data.stored).toBeNull();
  });

  test("that could not be read say why, until they are read", async () => {
    await set("heldOut", "30");
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await answer(0, new Error("The data is not in the store. Add the file again."));
    expect(form.data.failed).toContain("Add the file again");
    expect(form.valid).toBe(false);
    await set("heldOut", "40");
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await answer(1, SEEN);
    expect([form.data.failed, form.valid]).toEqual([null, true]);
  });

  test("that speak of the run and not of the data read nothing again", async () => {
    const [steps] = form.fields.filter(([group]) => group === "run");
    if (steps !== undefined) form.set(...steps, "7");
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(api.asked).toEqual([]);
  });
});

suite("settings beside data of one's own", () => {
  const names = (): readonly string[] => form.modelFields.map(({ name }) => name);

  test("are not those of made-up data, which keep no run from starting and are in none", async () => {
    form.dropData();
    expect(names()).toContain("rows");
    await set("rows", "5");
    expect(form.valid).toBe(false);
    await Promise.all([
      form.takeData([{ path: "mine.csv", file: new Blob(["a,b\n"]) }]),
      vi.advanceTimersByTimeAsync(LONG_MS),
    ]);
    expect(names()).not.toContain("rows");
    expect(form.valid).toBe(true);
    const start = vi.spyOn(api, "start").mockResolvedValue("r");
    await form.start();
    expect(Object.keys(start.mock.lastCall?.[0].config ?? {})).not.toContain("rows");
    // A preset sets them all the same: what was typed does not come back with the made-up data.
    form.usePreset("tiny");
    form.dropData();
    expect([form.valid, names().includes("rows")]).toEqual([true, true]);
  });

  test("are those that say how it is read, once, and no preset changes them", async () => {
    form.choose("text");
    expect([form.dataFields, names().includes("merges")]).toEqual([[], true]);
    await Promise.all([
      form.takeData([{ path: "mine.txt", file: new Blob(["a text"]) }]),
      vi.advanceTimersByTimeAsync(LONG_MS),
    ]);
    expect(form.dataFields.map(({ name }) => name)).toEqual(["merges"]);
    expect(names()).not.toContain("merges");
    await set("merges", "300");
    form.usePreset("tiny");
    expect(form.dataFields.map((field) => form.value("config", field))).toEqual(["300"]);
    await set("merges", "-1");
    expect(form.valid).toBe(false);
  });
});

suite("settings of data that the task makes by itself", () => {
  const WRONG = "The class “3” is left out of the training.";
  const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(LONG_MS);

  test("keep the run from being started while it could not be trained on, and another preset mends them", async () => {
    const check = vi.spyOn(api, "madeUpProblem").mockResolvedValue(WRONG);
    form.choose("digits");
    await settled();
    // Nothing was chosen yet.
    expect([check.mock.calls.length, form.valid]).toEqual([0, true]);
    for (const typed of ["9", "90"]) await set("heldOut", typed);
    await settled();
    expect(check).toHaveBeenCalledExactlyOnceWith("digits", 1, expect.objectContaining({ heldOut: 90 }));
    expect([form.data.problem, form.valid]).toEqual([WRONG, false]);
    check.mockResolvedValue(null);
    form.usePreset("tiny");
    await settled();
    expect([form.data.problem, form.valid]).toEqual([null, true]);
    const seed = form.fields.find(([, { name }]) => name === "seed");
    if (seed !== undefined) form.set(...seed, "8");
    await settled();
    expect(check).toHaveBeenLastCalledWith("digits", 8, expect.anything());
  });

  test("say nothing of data of one's own, and are read when that goes", async () => {
    const check = vi.spyOn(api, "madeUpProblem").mockResolvedValue(WRONG);
    await set("heldOut", "80");
    await settled();
    await answer(0, SEEN);
    expect([check.mock.calls.length, form.valid]).toEqual([0, true]);
    form.dropData();
    await settled();
    expect(check).toHaveBeenCalledOnce();
    expect(form.data.problem).toBe(WRONG);
    await Promise.all([form.takeData([{ path: "mine.csv", file: new Blob(["a,b\n"]) }]), settled()]);
    expect([form.data.problem, form.valid]).toEqual([null, true]);
  });

  test("are told as they are now: not by an answer that comes late, beside a field that is wrong, or to another task", async () => {
    const answers: ((problem: string | null) => void)[] = [];
    vi.spyOn(api, "madeUpProblem").mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
    form.choose("digits");
    for (const typed of ["90", "80"]) {
      await set("heldOut", typed);
      await settled();
    }
    answers[1]?.(WRONG);
    answers[0]?.(null);
    await settled();
    expect(form.data.problem).toBe(WRONG);
    await set("heldOut", "abc");
    expect([form.data.problem, form.valid]).toEqual([null, false]);
    await set("heldOut", "80");
    await settled();
    answers[2]?.(WRONG);
    await settled();
    expect(form.data.problem).toBe(WRONG);
    form.choose("spirals");
    expect([form.data.problem, form.valid]).toEqual([null, true]);
  });

  test("keep no run from starting on what was drawn", async () => {
    vi.spyOn(api, "madeUpProblem").mockResolvedValue(WRONG);
    form.choose("digits");
    for (let i = 0; i < 10; i += 1) {
      form.drawn.choose(i % 2);
      if (i === 9) {
        await set("heldOut", "90");
        await settled();
        expect(form.valid).toBe(false);
      }
      form.drawn.add("data:image/png;base64,AAAA");
    }
    expect([form.leavesDrawings, form.dataProblem, form.valid]).toEqual([true, null, true]);
  });

  test("that could not be read leave it to the start", async () => {
    form.choose("digits");
    vi.spyOn(api, "madeUpProblem").mockRejectedValue(new Error("The worker ended."));
    await set("heldOut", "90");
    await settled();
    expect(form.valid).toBe(true);
  });
});

test("a seed has nothing of one's own data read again", async () => {
  const seed = form.fields.find(([, { name }]) => name === "seed");
  if (seed !== undefined) form.set(...seed, "8");
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(api.asked).toEqual([]);
});

test("files that a run of another task was to begin with go with it", () => {
  form.choose("spirals");
  form.beginWith([new File([], "model.json")]);
  form.choose("table");
  expect(form.weights).toEqual([]);
});

suite("what comes while data is read", () => {
  test("settings are counted once it is there", async () => {
    const read = gate();
    const addData = api.addData.bind(api);
    vi.spyOn(api, "addData").mockImplementation(async (...given) => {
      await read.passed;
      return addData(...given);
    });
    const taking = form.takeData([{ path: "mine.csv", file: new Blob(["a,b\n"]) }]);
    await set("heldOut", "35");
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(api.asked).toEqual([]);
    read.open();
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await taking;
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(api.asked).toMatchObject([{ heldOut: 35 }]);
  });

  test("other files that come first are not taken for the drawings", async () => {
    const read = gate();
    const addData = api.addData.bind(api);
    vi.spyOn(api, "addData").mockImplementationOnce(async (...given) => {
      await read.passed;
      return addData(...given);
    });
    form.drawn.add("data:image/png;base64,AAAA");
    const drawing = form.takeDrawings();
    const taking = form.takeData([{ path: "mine.csv", file: new Blob(["a,b\n"]) }]);
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await taking;
    read.open();
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await drawing;
    expect(form.data.stored).not.toBeNull();
    expect(form.usesDrawings).toBe(false);
    // Control: alone they are.
    const again = form.takeDrawings();
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await again;
    expect(form.usesDrawings).toBe(true);
  });
});

test("a start takes what was drawn, where it is enough and nothing else was chosen", async () => {
  const start = vi.spyOn(api, "start").mockResolvedValue("r");
  const started = async (): Promise<unknown> => {
    const starting = form.start();
    await vi.advanceTimersByTimeAsync(LONG_MS);
    await starting;
    return start.mock.lastCall?.[0].data;
  };
  form.choose("digits");
  for (let i = 0; i < 9; i += 1) {
    form.drawn.choose(i % 2);
    form.drawn.add("data:image/png;base64,AAAA");
  }
  // Controls: nine are not enough, which is told; files of another kind that were chosen stay.
  expect(form.lacksDrawings).toBe(true);
  expect(await started()).toBeUndefined();
  form.drawn.add("data:image/png;base64,AAAA");
  await Promise.all([
    form.takeData([{ path: "mine.zip", file: new Blob(["z"]) }]),
    vi.advanceTimersByTimeAsync(LONG_MS),
  ]);
  expect(await started()).toMatchObject({ name: "mine.zip" });
  form.dropData();
  expect([form.leavesDrawings, form.lacksDrawings]).toEqual([true, false]);
  expect(await started()).toMatchObject({ name: "drawings/class 1/001.png" });
});
