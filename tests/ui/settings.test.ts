/** The settings as they are kept: what was written is read again, and what nobody wrote harms nothing. */
import { expect, suite, test } from "vitest";
import { DEFAULTS, everyBy, readSettings, writtenSettings, type Settings } from "../../src/ui/settings";

/** No setting is as it was at first. */
const OTHERS: Settings = {
  theme: "dark",
  bytes: "binary",
  times: "clock",
  saveKind: "seconds",
  saveEvery: 30,
  keep: "lean",
  draw: false,
  notifyEnd: true,
  notifyTrouble: true,
  awake: true,
  singleKeys: false,
};

function kept(changes: object): string {
  return JSON.stringify({ ...Object(JSON.parse(writtenSettings(OTHERS))), ...changes });
}

suite("settings", () => {
  test("are read as they were written, every one of them", () => {
    for (const name of Object.keys(DEFAULTS) as (keyof Settings)[])
      expect(OTHERS[name], name).not.toBe(DEFAULTS[name]);
    expect(readSettings(writtenSettings(OTHERS))).toEqual({
      settings: OTHERS,
      problem: null,
      isNewer: false,
    });
  });

  test("are the defaults where nothing was kept, and nothing is said of it", () => {
    expect(readSettings(null)).toEqual({ settings: DEFAULTS, problem: null, isNewer: false });
  });

  test("that did not exist when they were written have their defaults, and nothing is said of it", () => {
    const { settings, problem } = readSettings('{"version":1,"theme":"dark"}');
    expect(settings).toEqual({ ...DEFAULTS, theme: "dark" });
    expect(problem).toBeNull();
  });

  test.each([
    ["", "no JSON"],
    ["{", "half of it"],
    ["null", "nothing"],
    ["7", "a number"],
    ["[]", "a list"],
    ['{"theme":"dark"}', "no version"],
    ['{"version":"1","theme":"dark"}', "a version that is no number"],
    ['{"version":0,"theme":"dark"}', "a version that never was"],
  ])("are the defaults for %s (%s), which is said", (text) => {
    const { settings, problem, isNewer } = readSettings(text);
    expect(settings).toEqual(DEFAULTS);
    expect(problem).toMatch(/could not be read/);
    expect(isNewer).toBe(false);
  });

  test.each([
    ["theme", "blue"],
    ["theme", ["dark"]],
    ["bytes", 1000],
    ["times", null],
    ["keep", "constructor"],
    ["draw", "true"],
    ["notifyEnd", 1],
    ["awake", {}],
    ["singleKeys", "off"],
    ["saveEvery", "30"],
    ["saveEvery", 0],
    ["saveEvery", 1e12],
  ])("one that is wrong, %s as %j, is its default and named; the others hold", (name, value) => {
    const { settings, problem } = readSettings(kept({ [name]: value }));
    const fallback = name === "saveEvery" ? everyBy("seconds") : DEFAULTS[name as keyof Settings];
    expect(settings).toEqual({ ...OTHERS, [name]: fallback });
    expect(problem).toContain(name);
  });

  test("how often is read in the unit of its kind", () => {
    // Half a second is a time between saves; half a step is not.
    expect(readSettings(kept({ saveEvery: 0.5 })).settings.saveEvery).toBe(0.5);
    const steps = readSettings(kept({ saveKind: "steps", saveEvery: 0.5 }));
    expect(steps.settings).toMatchObject({ saveKind: "steps", saveEvery: everyBy("steps") });
    expect(steps.problem).toContain("saveEvery");
  });

  test("of a newer version are not taken for damaged ones", () => {
    expect(readSettings(kept({ version: 2 }))).toEqual({
      settings: DEFAULTS,
      problem: expect.stringMatching(/newer version/) as string,
      isNewer: true,
    });
  });
});
