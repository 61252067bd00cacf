import { expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import { loadTask } from "../../src/tasks";
import { SPIRALS } from "../../src/tasks/infos/spirals";
import { TEXT } from "../../src/tasks/infos/text";
import { problemsOf, taskInfo, TASKS, withDefaults } from "../../src/tasks/meta";
import type { PresetName } from "../../src/tasks/meta";
import { settingsOf } from "../../src/tasks/settings";
import { configOf, modelOf, openCpu } from "./trial";

const PRESETS: readonly PresetName[] = ["tiny", "small", "medium"];

suite("the schema of a task", () => {
  test.each(TASKS.map((info) => [info.id, info] as const))(
    "%s: every default and preset is in range",
    (_, info) => {
      expect(problemsOf(info, withDefaults(info, {}))).toEqual([]);
      for (const preset of PRESETS)
        expect(problemsOf(info, withDefaults(info, info.presets[preset].config))).toEqual([]);
    },
  );

  test.each(TASKS.map((info) => [info.id, info] as const))(
    "%s: has a batch size and names no field twice",
    (_, info) => {
      const names = info.fields.map((field) => field.name);
      expect(names).toContain("batchSize");
      expect(new Set(names).size).toBe(names.length);
    },
  );

  test.each(TASKS)(
    "$id: is said to be a LayersModel where it is one",
    async ({ id, isLayersModel = false }) => {
      expect((await loadTask(id)).layers !== undefined).toBe(isLayersModel);
    },
  );

  test("ids are unique and found again", () => {
    for (const info of TASKS) expect(taskInfo(info.id)).toBe(info);
    expect(taskInfo("toString")).toBeUndefined();
  });

  test("defaults fill what is left out and nothing else", () => {
    const config = withDefaults(SPIRALS, { width: 7 });
    expect(config["width"]).toBe(7);
    expect(config["layers"]).toBe(3);
    expect(Object.keys(config).sort()).toEqual(SPIRALS.fields.map((field) => field.name).sort());
  });
});

suite("a config that is wrong", () => {
  test.each([
    [{ width: 0 }, "Width (width) is 0; give a whole number from 1 to 1024 neurons."],
    [{ width: 1025 }, "Width (width) is 1025; give a whole number from 1 to 1024 neurons."],
    [{ width: 16.5 }, "Width (width) is 16.5; give a whole number from 1 to 1024 neurons."],
    [{ width: Number.NaN }, "Width (width) is NaN; give a whole number from 1 to 1024 neurons."],
    [{ width: "16" }, 'Width (width) is "16"; give a whole number from 1 to 1024 neurons.'],
    [{ width: undefined }, "Width (width) is missing; give a whole number from 1 to 1024 neurons."],
    [{ dropout: 1 }, "Dropout (dropout) is 1; give a number from 0 to 0.9."],
    [{ dropout: -0.1 }, "Dropout (dropout) is -0.1; give a number from 0 to 0.9."],
    [{ turns: Infinity }, "Turns (turns) is Infinity; give a number from 0.25 to 4."],
    [{ activation: "swish" }, 'Activation (activation) is "swish"; give one of "tanh", "relu".'],
  ])("%o is told with field, value and range", (changes, message) => {
    expect(problemsOf(SPIRALS, { ...withDefaults(SPIRALS, {}), ...changes })).toEqual([message]);
  });

  test("a switch takes no number", () => {
    expect(problemsOf(TEXT, { ...withDefaults(TEXT, {}), tied: 1 })).toEqual([
      "Tie input and output (tied) is 1; give true or false.",
    ]);
  });

  test("an unknown field and one from the prototype are named", () => {
    const problems = problemsOf(SPIRALS, { ...withDefaults(SPIRALS, {}), widht: 3 });
    expect(problems).toHaveLength(1);
    const inherited: Record<string, unknown> = {};
    Object.setPrototypeOf(inherited, withDefaults(SPIRALS, {}));
    expect(problems[0]).toMatch(/^"widht" is not a setting of Spirals; its settings are points, /);
    expect(problemsOf(SPIRALS, inherited)).toHaveLength(SPIRALS.fields.length);
  });

  test("every problem is told at once, as `invalid`", () => {
    const attempt = (): unknown => settingsOf(SPIRALS, { ...withDefaults(SPIRALS, {}), width: 0, layers: 0 });
    expect(attempt).toThrow(expect.toSatisfy((error) => hasCode(error, "invalid")));
    expect(attempt).toThrow(/layers.*width/);
  });

  test("a task that reads a field it does not declare is a fault of ours", () => {
    const settings = settingsOf(SPIRALS, withDefaults(SPIRALS, {}));
    expect(() => settings.number("depth")).toThrow(expect.toSatisfy((error) => hasCode(error, "internal")));
    expect(() => settings.on("width")).toThrow(expect.toSatisfy((error) => hasCode(error, "internal")));
    expect(() => settings.choice("width")).toThrow(expect.toSatisfy((error) => hasCode(error, "internal")));
  });
});

suite("tasks by id", () => {
  test("each entry of TASKS can be loaded and describes itself", async () => {
    for (const info of TASKS) expect((await loadTask(info.id)).info).toBe(info);
  });

  test.each(["faces", "toString", ""])("%o is missing", async (id) => {
    await expect(loadTask(id)).rejects.toSatisfy((error) => hasCode(error, "missing"));
  });

  test("sizes of the presets", async () => {
    await openCpu();
    const counts: Record<string, number> = {};
    for (const { id } of TASKS) {
      const task = await loadTask(id);
      for (const preset of PRESETS) {
        const model = modelOf(task, configOf(task, preset));
        counts[`${id} ${preset}`] = model.parameters
          .map(({ shape }) => shape.reduce((product, length) => product * length, 1))
          .reduce((sum, size) => sum + size, 0);
        model.dispose();
      }
    }
    expect(counts).toEqual({
      "digits tiny": 10018,
      "digits small": 52138,
      "digits medium": 824458,
      "modular tiny": 3975,
      "modular small": 32843,
      "modular medium": 157889,
      "spirals tiny": 337,
      "spirals small": 8577,
      "spirals medium": 198401,
      "text tiny": 4288,
      "text small": 105024,
      "text medium": 1018800,
      "table tiny": 275,
      "table small": 5251,
      "table medium": 135939,
    });
  });
});
