import { expect, suite, test } from "vitest";
import { remembered } from "../../src/tasks/remembered";
import { TEXT } from "../../src/tasks/infos/text";
import { settingsOf } from "../../src/tasks/settings";
import { table } from "../../src/tasks/table";
import { text } from "../../src/tasks/text";
import type { Config } from "../../src/format/run";
import { configOf } from "./trial";

const of = (config: Config) => settingsOf(TEXT, config);

/** How often something was made, in all. */
function counting() {
  let made = 0;
  const get = remembered(
    (settings) => String(settings.number("merges")),
    (bytes, settings) => `${(made += 1)}: ${bytes.length} with ${settings.number("merges")}`,
  );
  return { get, made: () => made };
}

suite("what was made of data", () => {
  test("is not made again for the same data and the settings that matter", () => {
    const { get, made } = counting();
    const bytes = new Uint8Array(3);
    expect(get(bytes, of({ merges: 5 }))).toBe("1: 3 with 5");
    expect(get(bytes, of({ merges: 5, context: 8 }))).toBe("1: 3 with 5");
    expect(made()).toBe(1);
  });

  test("is made again for other settings that matter, and for other data", () => {
    const { get } = counting();
    const bytes = new Uint8Array(3);
    get(bytes, of({ merges: 5 }));
    expect(get(bytes, of({ merges: 6 }))).toBe("2: 3 with 6");
    expect(get(new Uint8Array(3), of({ merges: 6 }))).toBe("3: 3 with 6");
    // The last is remembered, and no more than that.
    expect(get(bytes, of({ merges: 5 }))).toBe("4: 3 with 5");
  });

  test("is not remembered where it failed", () => {
    let fails = true;
    const get = remembered(
      () => "",
      () => {
        if (fails) throw new Error("not yet");
        return "made";
      },
    );
    const bytes = new Uint8Array(1);
    expect(() => get(bytes, of({}))).toThrow("not yet");
    fails = false;
    expect(get(bytes, of({}))).toBe("made");
  });

  /** As if each were asked for alone, in whatever order the settings come. */
  test.each([
    ["text", text, [{ merges: 0 }, { merges: 9 }, { merges: 9, context: 8 }, { merges: 0 }]],
    [
      "table",
      table,
      [
        {},
        { target: "weight_g" },
        // Whole numbers: classes or amounts, as they are told.
        { target: "weight_g", problem: "classification" },
        { target: "weight_g", problem: "regression" },
        { heldOut: 50 },
        { split: 3 },
        { columns: "site=ignored" },
      ],
    ],
  ] as const)("changes nothing of what a task says: %s", (_, task, changes) => {
    const bytes = task.generate(configOf(task, "tiny"), 1);
    for (const change of changes) {
      const config = configOf(task, "tiny", { ...change });
      expect(task.inspect(bytes, config)).toEqual(task.inspect(bytes.slice(), config));
      expect(task.preview?.(bytes, config)).toEqual(task.preview?.(bytes.slice(), config));
    }
  });
});
