import { expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import { TASKS } from "../../src/tasks/meta";
import type { StartOptions } from "../../src/worker/api";
import type { Policy } from "../../src/worker/protocol";
import { checkPolicy, startSpec } from "../../src/worker/start-spec";

suite("what is left out", () => {
  test.each(
    TASKS.flatMap(({ id }) => (["tiny", "small", "medium"] as const).map((preset) => ({ task: id, preset }))),
  )("$task $preset is complete by itself", ({ task, preset }) => {
    const spec = startSpec({ task, preset });
    const info = TASKS.find(({ id }) => id === task);
    expect(Object.keys(spec.config).sort()).toEqual(info?.fields.map(({ name }) => name).sort());
    expect(spec.steps).toBe(info?.presets[preset].steps);
    expect(spec.optimizer.schedule.horizon).toBe(spec.steps);
  });

  test("is filled from the preset, and what is given wins", () => {
    const spec = startSpec({
      task: "spirals",
      preset: "tiny",
      config: { width: 8 },
      optimizer: { kind: "sgd", schedule: { kind: "step" } },
    });
    expect(spec.config["width"]).toBe(8);
    expect(spec.config["batchSize"]).toBe(32);
    expect(spec.optimizer).toMatchObject({
      kind: "sgd",
      learningRate: 0.01,
      schedule: { kind: "step", warmup: 20 },
    });
  });

  test("is left out too where it is undefined", () => {
    const optimizer = {
      kind: undefined,
      momentum: undefined,
      learningRate: undefined,
      schedule: { kind: undefined },
    };
    const options = {
      config: { width: undefined },
      optimizer,
      steps: undefined,
      seed: undefined,
      name: undefined,
    };
    const bare = startSpec({ task: "spirals" });
    expect(startSpec({ task: "spirals", ...options } as unknown as StartOptions)).toEqual(bare);
    const policy = { save: { kind: "never" }, draw: true } as const;
    const undefinedToo = { ...policy, keep: undefined, budget: undefined } as unknown as Policy;
    const spec = startSpec({ task: "spirals", policy: undefinedToo });
    expect(Object.keys(spec.policy)).toEqual(Object.keys(policy));
  });

  test("a name of blanks is the task's title; seed 0 stays 0", () => {
    expect(startSpec({ task: "text", name: "  ", seed: 0 })).toMatchObject({ name: "Text", seed: 0 });
  });
});

suite("a file to begin with", () => {
  test("has its own name, or one for what has none, that can be written down", () => {
    const namesOf = (from: Blob | readonly Blob[]) => {
      const spec = startSpec({ task: "spirals", from });
      return "model" in spec.from ? [] : spec.from.map(({ name }) => name);
    };
    const named = (from: Blob) => namesOf(from)[0];
    expect(startSpec({ task: "spirals" }).from).toEqual([]);
    expect(named(new File([], "a.safetensors"))).toBe("a.safetensors");
    expect(named(new Blob([]))).toBe("weights.safetensors");
    expect(named(new File([], ""))).toBe("weights.safetensors");
    const two = [new File([], "model.json"), new File([], "weights.bin")];
    expect(namesOf(two)).toEqual(["model.json", "weights.bin"]);
    const odd = named(new File([], `\ud800${"x".repeat(300)}`));
    expect(odd).toHaveLength(255);
    expect(odd).not.toMatch(/\p{Surrogate}/u);
  });

  test.each(["weights.safetensors", "indexeddb://", "localstorage://mine", 7, ["indexeddb://mine"]])(
    "is a file, and not %s",
    (from) => {
      const options = { task: "spirals", from };
      // As a script at the console may have it, where nothing checks types.
      expect(() => startSpec(options as unknown as StartOptions)).toThrow("File or a Blob");
    },
  );

  test("is a model that TensorFlow.js saved, by its name, which the record keeps as far as it can", () => {
    const fromOf = (from: `indexeddb://${string}`) => startSpec({ task: "spirals", from }).from;
    expect(fromOf("indexeddb://mine")).toEqual({ model: "indexeddb://mine", name: "indexeddb://mine" });
    const odd = `indexeddb://\ud800${"x".repeat(300)}` as const;
    expect(fromOf(odd)).toEqual({ model: odd, name: `indexeddb://\ufffd${"x".repeat(242)}` });
  });
});

suite("what is out of range is refused by name", () => {
  const cases: readonly [string, StartOptions][] = [
    ["task", { task: "chess" }],
    ["steps", { task: "spirals", steps: 0 }],
    ["steps", { task: "spirals", steps: 1.5 }],
    ["seed", { task: "spirals", seed: -1 }],
    ["seed", { task: "spirals", seed: 2 ** 53 }],
    ["width", { task: "spirals", config: { width: 0 } }],
    ["batchSize", { task: "spirals", config: { batchSize: Number.NaN } }],
    ["colour", { task: "spirals", config: { colour: "red" } }],
    ["learningRate", { task: "spirals", optimizer: { learningRate: 0 } }],
    ["beta2", { task: "spirals", optimizer: { beta2: 1 } }],
    ["clipNorm", { task: "spirals", optimizer: { clipNorm: -1 } }],
    ["horizon", { task: "spirals", optimizer: { schedule: { horizon: 0 } } }],
    ["Save every", { task: "spirals", policy: { save: { kind: "steps", every: 0 }, draw: true } }],
    ["takes no data", { task: "spirals", data: { hash: "00", name: "a.txt" } }],
  ];
  test.each(cases)("%s", (word, options) => {
    const act = (): unknown => startSpec(options);
    expect(act).toThrow(word);
    expect(hasCode(thrownBy(act), word === "task" ? "missing" : "invalid")).toBe(true);
  });

  test("every problem is told at once", () => {
    expect(() => startSpec({ task: "spirals", steps: 0, seed: -1 })).toThrow(/steps\) is 0.*seed\) is -1/s);
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("a policy is refused with every problem of it, and taken where there is none", () => {
  const save = { kind: "auto", returnSeconds: -1, overhead: 2 } as const;
  expect(() => {
    checkPolicy({ save, draw: true });
  }).toThrow(/\. .*\./);
  expect(() => {
    checkPolicy({ save: { kind: "never" }, draw: true });
  }).not.toThrow();
});
