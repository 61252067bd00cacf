import { expect, suite, test } from "vitest";
import type { ComparedSide } from "../../src/analysis/compare";
import { readCurves } from "../../src/ui/curves";
import type { JournalRows, RunDetail, RunEvent } from "../../src/worker/protocol";

function side(run: string, step: number, samples: number, batchSize: number): ComparedSide {
  const facts = { runName: run, task: "", digest: "", metrics: {}, hasOwnData: false, environment: {} };
  return { ...facts, run, step, samples, settings: { batchSize } };
}

function rows(from: number, loss: readonly number[], ms: number): JournalRows {
  return {
    from,
    loss: Float32Array.from(loss),
    rate: new Float32Array(loss.length),
    ms: new Float32Array(loss.length).fill(ms),
  };
}

/** A run of batches of 8, and a fork of it at step 2 that goes on in batches of 2. */
const SIDES = [side("fork", 4, 20, 2), side("whole", 1, 8, 8), side("fork", 3, 18, 2)];
const JOURNALS = new Map([
  ["fork", rows(3, [2, 1], 500)],
  ["whole", rows(1, [5, 4, 3, 2], 250)],
]);

const journalOf = (run: string) => {
  const found = JOURNALS.get(run);
  return found === undefined ? Promise.reject(new Error(`no ${run}`)) : Promise.resolve(found);
};

const evaluated = [0.5, 0].map((val_accuracy, at): RunEvent => ({
  ...{ kind: "evaluated", seq: at, step: 2 + 2 * at, time: 0 },
  metrics: { val_accuracy },
}));

const detailOf = (run: string): Promise<RunDetail> =>
  run === "whole"
    ? Promise.resolve({ events: evaluated, record: { parent: null } } as unknown as RunDetail)
    : Promise.reject(new Error("unreadable"));

const API = { journal: journalOf, detail: detailOf };

suite("curves", async () => {
  const [fork, whole] = await readCurves(SIDES, API);

  test("know the loss of a step that was not saved", () => {
    expect(whole?.lossAt(3)).toBe(3);
    expect(fork?.lossAt(2)).toBeNull();
  });

  test("have what was evaluated on the same axes, and their losses where that cannot be read", () => {
    expect(whole?.metricLine("step", "val_accuracy", false)).toEqual({ x: [2, 4], y: [0.5, 0] });
    expect(whole?.metricLine("time", "val_accuracy", true)).toEqual({ x: [0.5, 1], y: [0.5, null] });
    expect(fork?.evaluations).toEqual([]);
  });

  test("are one to a run, with the places of its sides", () => {
    expect([fork?.sides, whole?.sides]).toEqual([[0, 2], [1]]);
  });

  test("by step begin where their journals do", () => {
    expect(fork?.line("step", 100, 0, false)).toEqual({ x: [3, 4], y: [2, 1] });
    expect(whole?.line("step", 100, 0, false)).toEqual({ x: [1, 2, 3, 4], y: [5, 4, 3, 2] });
  });

  test("by time count the seconds of their own steps", () => {
    expect(fork?.line("time", 100, 0, false).x).toEqual([0.5, 1]);
    expect(whole?.line("time", 100, 0, false).x).toEqual([0.25, 0.5, 0.75, 1]);
    // The state that a fork begins with.
    expect(fork?.at(2, "time")).toBe(0);
  });

  test("by samples go on from those of the parent, whatever its batch size was", () => {
    expect(fork?.line("samples", 100, 0, false).x).toEqual([18, 20]);
    expect(whole?.line("samples", 100, 0, false).x).toEqual([8, 16, 24, 32]);
    expect(fork?.at(2, "samples")).toBe(whole?.at(2, "samples"));
  });

  test("leave out what cannot be placed, and a time that was lost takes none", async () => {
    const lost = { ...rows(1, [3, 2, 1], 100), ms: Float32Array.of(100, Number.NaN, 100) };
    const [one] = await readCurves([{ ...side("r", 1, 8, 8), settings: {} }], {
      ...API,
      journal: () => Promise.resolve(lost),
    });
    expect(one?.line("samples", 100, 0, false).x).toEqual([]);
    expect(one?.line("time", 100, 0, false).x.map((x) => Math.round(10 * x))).toEqual([1, 1, 2]);
  });

  test("are those of the runs that have a journal", async () => {
    const sides = [side("gone", 1, 8, 8), ...SIDES, side("new", 0, 0, 8)];
    const journal = (run: string) => (run === "new" ? Promise.resolve(rows(1, [], 0)) : journalOf(run));
    expect((await readCurves(sides, { ...API, journal })).map(({ run }) => run)).toEqual(["fork", "whole"]);
  });

  test("of a fork are smoothed from its parent's losses on", async () => {
    const asked: unknown[][] = [];
    const journal = (run: string, ...range: readonly (number | undefined)[]) => {
      if (range.length > 0) asked.push([run, ...range]);
      return range.length > 0 ? Promise.resolve(rows(1, [5, 4], 250)) : journalOf(run);
    };
    const detail = () =>
      Promise.resolve({
        events: [],
        record: { parent: { run: "whole", step: 2 }, firstStep: 2 },
      } as unknown as RunDetail);
    const [led] = await readCurves(SIDES.slice(0, 1), { journal, detail });
    expect(asked).toEqual([["whole", 1, 2]]);
    // (1/8 · 5 + 1/4 · 4 + 1/2 · 2) / (7/8), and without what was before: 2.
    expect(led?.line("step", 100, 0.5, false).y[0]).toBeCloseTo(3, 6);
    expect(fork?.line("step", 100, 0.5, false).y[0]).toBe(2);
  });
});
