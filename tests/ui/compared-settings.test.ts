import { expect, suite, test } from "vitest";
import { compareStates, type ComparedSide } from "../../src/analysis/compare";
import { comparedSettings } from "../../src/ui/compared-settings";

type Facts = Partial<Pick<ComparedSide, "task" | "settings" | "environment" | "hasOwnData">>;

function compared(...facts: readonly Facts[]) {
  return comparedSettings(
    compareStates(
      facts.map((fact) => ({
        ...{ run: "r", runName: "R", task: "text", step: 1, samples: 1, digest: "", metrics: {} },
        ...{ settings: {}, environment: {}, hasOwnData: false, ...fact },
        state: { tensors: [], scalars: { step: 1, samples: 1, counters: {} } },
      })),
    ),
  );
}

const lines = (settings: ReturnType<typeof compared>["set"]) =>
  settings.map(({ label, values, change }) => [label, ...values, change]);

suite("the settings in which states differ", () => {
  test("are told by the labels and the units of the form, choices by what stands there", () => {
    const a = { tied: true, context: 32, activation: "gelu", optimizer: "adamw", seed: 3, later: 1 };
    const b = { tied: false, context: 64, activation: "relu", optimizer: "sgd", seed: 4, later: 2 };
    expect(lines(compared({ settings: a }, { settings: b }).set)).toEqual([
      ["Activation", "GELU: a little better", "ReLU: a little faster", ""],
      ["Context", "32 tokens", "64 tokens", "+100 %"],
      ["Later", "1", "2", "+100 %"],
      ["Optimizer", "AdamW", "SGD", ""],
      ["Seed", "3", "4", ""],
      ["Tie input and output", "on", "off", ""],
    ]);
  });

  test("of an optimizer or a schedule are those that it reads: another's default says nothing", () => {
    const a = { optimizer: "adamw", beta1: 0.9, momentum: 0.9, schedule: "cosine", every: 100, warmup: 5 };
    const b = { ...a, beta1: 0.8, momentum: 0.5, every: 200, warmup: 10 };
    expect(lines(compared({ settings: a }, { settings: b }).set)).toEqual([
      ["Beta 1", "0.9", "0.8", "−11 %"],
      ["Warm-up", "5 steps", "10 steps", "+100 %"],
    ]);
    const stepped = { ...b, optimizer: "momentum", schedule: "step" };
    // Control: where one of them reads it, it is told of that one.
    expect(lines(compared({ settings: a }, { settings: stepped }).set)).toEqual(
      expect.arrayContaining([
        ["Momentum", "–", "0.5", ""],
        ["Lower it every", "–", "200 steps", ""],
        ["Beta 1", "0.9", "–", ""],
      ]),
    );
  });

  test("of made-up data say nothing of a person's own", () => {
    const [a, b] = [{ settings: { characters: 5000 } }, { settings: { characters: 9000 } }];
    const label = "Length of the made-up text";
    expect(lines(compared(a, b).set)).toEqual([[label, "5,000 characters", "9,000 characters", "+80 %"]]);
    expect(lines(compared(a, { ...b, hasOwnData: true }).set)).toEqual([
      [label, "5,000 characters", "–", ""],
    ]);
    expect(compared({ ...a, hasOwnData: true }, { ...b, hasOwnData: true })).toEqual({ set: [], other: [] });
  });

  test("that nobody set stand apart; the data does not, which was chosen", () => {
    const a = { settings: { horizon: 500 }, environment: { data: "a.csv", "math spirals": 1, browser: "x" } };
    const b = { settings: { horizon: 900 }, environment: { data: "b.csv", "math spirals": 2, browser: "y" } };
    const { set, other } = compared(a, b);
    expect(lines(set)).toEqual([["Data", "a.csv", "b.csv", ""]]);
    expect(other.map(({ label }) => label)).toEqual([
      "Horizon",
      "Browser",
      "Version of the arithmetic: Spirals",
    ]);
  });

  test("of several tasks are told with the title of each", () => {
    const [a, b] = ["text", "spirals"].map((task) => ({ task, settings: { task, width: 3 } }));
    expect(lines(compared(a ?? {}, b ?? {}, a ?? {}).set)).toEqual([["Task", "Text", "Spirals", "Text", ""]]);
  });
});
