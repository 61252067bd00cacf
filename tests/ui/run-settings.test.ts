import { expect, suite, test } from "vitest";
import type { RunEvent } from "../../src/format/run";
import { forkChanges, rateWords, runSettings, type SettingLine } from "../../src/ui/run-settings";
import { forkChangesWords } from "../../src/ui/step-words";
import { FakeHoldfast } from "../support/fake-holdfast";

const { record: made } = await new FakeHoldfast("full", { ticking: false }).detail("spiralsdropout");
const record = { ...made, config: { batchSize: 64, dropout: 0.25 } };

function valueOf(lines: readonly SettingLine[], label: string): string | undefined {
  return lines.find((line) => line.label === label)?.value;
}

suite("settings of a run", () => {
  test("are told by the labels of the form, with their units, each once", () => {
    const lines = runSettings(record, [], record.firstStep);
    const labels = lines.map(({ label }) => label);
    expect(new Set(labels).size).toBe(labels.length);
    expect(valueOf(lines, "Task")).toBe("Spirals");
    expect(valueOf(lines, "Seed")).toBe(String(record.seed));
    expect(valueOf(lines, "Optimizer")).toBe("AdamW");
    expect(labels).toEqual(expect.arrayContaining(["Learning rate", "Schedule of the rate"]));
    expect(valueOf(lines, "Batch size")).toBe("64 samples");
    expect(valueOf(lines, "Dropout")).toBe("0.25");
    expect(labels).not.toContain("Momentum");
  });

  test("the rate is the one that was set by then", () => {
    const changed: RunEvent = { kind: "changed", seq: 9, step: 100, time: 0, changes: { learningRate: 0.5 } };
    expect(valueOf(runSettings(record, [changed], 99), "Learning rate")).not.toBe("0.5");
    expect(valueOf(runSettings(record, [changed], 100), "Learning rate")).toBe("0.5");
  });

  test("a rate that a schedule lowers is told with it, and another one alone", () => {
    const { optimizer } = record;
    const withKind = (kind: "constant" | "cosine") => ({
      optimizer: { ...optimizer, schedule: { ...optimizer.schedule, kind } },
    });
    expect(rateWords(0.05, withKind("cosine"))).toBe("rate 0.05; warm-up, then cosine");
    expect(rateWords(0.05, withKind("constant"))).toBe("rate 0.05");
  });

  test("data of the task's own is told apart from a person's, and what is long is cut", () => {
    const builtIn = { ...record, data: { ...record.data, origin: "generated" as const } };
    expect(valueOf(runSettings(builtIn, [], 0), "Data")).toBe("made by the task");
    const preprocessing = { heldOutRows: 69, vocabulary: "x".repeat(500) };
    const own = {
      ...record,
      data: { ...record.data, origin: "file" as const, name: "a.csv", bytes: 2000, preprocessing },
    };
    const lines = runSettings(own, [], 0);
    expect(valueOf(lines, "Data")).toBe("a.csv, 2 kB");
    expect(valueOf(lines, "Data: held out rows")).toBe("69");
    expect(valueOf(lines, "Data: vocabulary")).toHaveLength(121);
  });

  test("what a task's own data is made by is told of no other data", () => {
    const rows = (origin: "generated" | "file") => {
      const table = { ...record, task: "table", config: { rows: 300 }, data: { ...record.data, origin } };
      return valueOf(runSettings(table, [], 0), "Rows of the made-up table");
    };
    expect(rows("generated")).toBe("300 rows");
    expect(rows("file")).toBeUndefined();
  });

  test("what is empty takes no line", () => {
    const table = { ...record, task: "table", config: { columns: "", target: "species" } };
    const lines = runSettings(table, [], 0);
    expect(valueOf(lines, "Target")).toBe("species");
    expect(lines.filter(({ value }) => value === "")).toEqual([]);
  });

  test("a setting that this version does not know is shown all the same", () => {
    const later = { ...record, config: { ...record.config, rowsOfKeys: 4 } };
    expect(valueOf(runSettings(later, [], 0), "rows of keys")).toBe("4");
  });
});

suite("what a fork changed", () => {
  const changed: RunEvent = { kind: "changed", seq: 9, step: 100, time: 0, changes: { learningRate: 0.5 } };
  const fork = { ...record, firstStep: 100, parent: { run: "r", step: 100 } };

  test("is told against its parent as it was at that step", () => {
    const at = { ...fork, optimizer: { ...fork.optimizer, learningRate: 0.5 } };
    expect(forkChanges(at, { record, events: [changed] })).toEqual([]);
    const [line, ...more] = forkChanges(at, { record, events: [] });
    expect(line).toMatchObject({ label: "Learning rate", value: "0.5" });
    expect(more).toEqual([]);
  });

  test("is said in words, a setting that the parent had not without its value there", () => {
    const changes = forkChanges(
      { ...fork, seed: 9, config: { ...fork.config, dropout: 0.5, rowsOfKeys: 4 } },
      { record: { ...record, seed: 3 }, events: [] },
    );
    expect(forkChangesWords(changes)).toBe("seed 3 → 9, dropout 0.25 → 0.5, rows of keys 4");
    expect(forkChangesWords([])).toBe("with the same settings");
  });
});
