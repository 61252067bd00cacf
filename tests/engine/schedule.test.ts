import { expect, suite, test } from "vitest";
import { rateAt } from "../../src/engine/schedule";
import { configList, nextEventAfter, settingsAt } from "../../src/format/settings";
import { wholePower } from "../../src/engine/power";
import type {
  OptimizerConfig,
  RunEvent,
  RunEventBody,
  RunRecord,
  ScheduleConfig,
} from "../../src/format/run";
import { caseOf, scheduleVectors } from "../support/optimizer-vectors";

const CONSTANT: ScheduleConfig = { kind: "constant", warmup: 0, horizon: 0, floor: 0, every: 1, factor: 1 };

function optimizerWith(schedule: Partial<ScheduleConfig>, learningRate = 1): OptimizerConfig {
  return { ...caseOf("sgd", "plain").config, learningRate, schedule: { ...CONSTANT, ...schedule } };
}

suite("the rate of a step", () => {
  test.each(scheduleVectors())(
    "follows PyTorch's scheduler: $schedule.kind to floor $schedule.floor",
    (vector) => {
      for (const [step, rate] of vector.rates.entries()) {
        expect(Math.abs(rateAt(optimizerWith(vector.schedule), step) - rate), `step ${step}`).toBeLessThan(
          1.2e-7,
        );
      }
    },
  );

  test("a floor that is left out is caught by those vectors", () => {
    const [vector] = scheduleVectors().filter(({ schedule }) => schedule.kind === "linear");
    const rate = rateAt(optimizerWith({ ...vector?.schedule, floor: 0 }), 29);
    expect(Math.abs(rate - (vector?.rates[29] ?? 0))).toBeGreaterThan(0.1);
  });

  test("rises in a straight line over the warm-up and is whole at its end, whatever follows", () => {
    for (const kind of ["constant", "cosine", "linear"] as const) {
      const optimizer = optimizerWith({ kind, warmup: 3, horizon: 10 });
      expect([0, 1, 2, 3].map((step) => rateAt(optimizer, step))).toEqual([0.25, 0.5, 0.75, 1]);
    }
    expect(rateAt(optimizerWith({ kind: "step", warmup: 3, every: 2, factor: 0.5 }), 2)).toBe(0.375);
  });

  test("ends at the floor at the horizon and stays there", () => {
    for (const kind of ["cosine", "linear"] as const) {
      const optimizer = optimizerWith({ kind, warmup: 3, horizon: 10, floor: 0.25 });
      expect(rateAt(optimizer, 9)).toBeGreaterThan(0.25);
      expect([10, 11, 1000].map((step) => rateAt(optimizer, step))).toEqual([0.25, 0.25, 0.25]);
    }
  });

  test("is at the floor where the horizon lies in the warm-up, and never NaN", () => {
    for (const horizon of [0, 3, 5]) {
      const optimizer = optimizerWith({ kind: "cosine", warmup: 5, horizon, floor: 0.5 });
      for (let step = 0; step < 20; step++) expect(Number.isFinite(rateAt(optimizer, step))).toBe(true);
      expect(rateAt(optimizer, 10)).toBe(0.5);
    }
  });

  test("is a float32 value, close to the cosine that Math.cos gives", () => {
    const optimizer = optimizerWith({ kind: "cosine", horizon: 1000 }, 1e-3);
    for (let step = 0; step <= 1000; step++) {
      const rate = rateAt(optimizer, step);
      expect(Math.fround(rate)).toBe(rate);
      expect(Math.abs(rate - (1e-3 * (1 + Math.cos((Math.PI * step) / 1000))) / 2)).toBeLessThan(6e-11);
    }
  });
});

test("a whole power is a product, close to what Math.pow gives", () => {
  expect(wholePower(0.9, 0)).toBe(1);
  expect(wholePower(0.9, 1)).toBe(0.9);
  expect(wholePower(3, 5)).toBe(243);
  for (const exponent of [7, 100, 12_345]) {
    expect(Math.abs(wholePower(0.999, exponent) / 0.999 ** exponent - 1)).toBeLessThan(1e-12);
  }
  expect(wholePower(0.999, 2 ** 40)).toBe(0);
});

const RECORD: RunRecord = {
  id: "r0000000000000000",
  name: "test",
  task: "spirals",
  created: 0,
  seed: 0,
  parent: null,
  firstStep: 0,
  steps: 100,
  config: {},
  optimizer: optimizerWith({ kind: "cosine", horizon: 100 }, 0.1),
  policy: { save: { kind: "never" }, draw: false },
  data: { hash: "", bytes: 0, name: "", origin: "generated", preprocessing: {} },
  environment: { backend: "cpu", adapter: {}, browser: "", tfjs: "", flags: {}, math: {} },
};

function event(seq: number, step: number, body: RunEventBody): RunEvent {
  return { seq, step, time: 0, ...body };
}

const EVENTS = [
  event(0, 0, { kind: "started" }),
  event(1, 12, { kind: "changed", changes: { learningRate: 0.5 } }),
  event(2, 12, { kind: "changed", changes: { learningRate: 0.2, clipNorm: 1 } }),
  event(3, 20, { kind: "paused", why: "asked" }),
  event(4, 40, { kind: "extended", steps: 150 }),
  event(5, 40, { kind: "extended", steps: 200, horizon: 200 }),
];

suite("the settings at a step", () => {
  test("a change at step 12 is first used by the update that makes S_13", () => {
    expect(settingsAt(RECORD, EVENTS, 11)).toEqual({ optimizer: RECORD.optimizer, steps: 100 });
    expect(settingsAt(RECORD, EVENTS, 12).optimizer).toEqual({
      ...RECORD.optimizer,
      learningRate: 0.2,
      clipNorm: 1,
    });
  });

  test("the later of two changes at one step counts, in whatever order they come", () => {
    expect(settingsAt(RECORD, EVENTS.toReversed(), 12)).toEqual(settingsAt(RECORD, EVENTS, 12));
    expect(settingsAt(RECORD, EVENTS, 12).optimizer.learningRate).toBe(0.2);
  });

  test("more steps leave the schedule as it is, unless the horizon is given too", () => {
    const unbent = settingsAt(RECORD, EVENTS.slice(0, 5), 40);
    expect(unbent.steps).toBe(150);
    expect(unbent.optimizer.schedule).toEqual(RECORD.optimizer.schedule);
    expect(settingsAt(RECORD, EVENTS, 40).steps).toBe(200);
    expect(settingsAt(RECORD, EVENTS, 40).optimizer.schedule.horizon).toBe(200);
    expect(settingsAt(RECORD, EVENTS, 40).optimizer.learningRate).toBe(0.2);
  });

  test("the config list has a line where settings change, and not where a run pauses", () => {
    expect(configList(RECORD, EVENTS)).toEqual(
      [0, 12, 40].map((from) => ({ from, ...settingsAt(RECORD, EVENTS, from) })),
    );
    expect(configList({ ...RECORD, firstStep: 12 }, EVENTS).map(({ from }) => from)).toEqual([12, 40]);
    expect(configList(RECORD, [])).toEqual([{ from: 0, optimizer: RECORD.optimizer, steps: 100 }]);
  });

  test("the next change is the first after a step", () => {
    expect([0, 11, 12, 39, 40].map((step) => nextEventAfter(EVENTS, step))).toEqual([
      12,
      12,
      40,
      40,
      Infinity,
    ]);
  });

  test("the record and the events are left as they were", () => {
    const before = JSON.stringify([RECORD, EVENTS]);
    settingsAt(RECORD, EVENTS, 100);
    configList(RECORD, EVENTS);
    expect(JSON.stringify([RECORD, EVENTS])).toBe(before);
  });
});
