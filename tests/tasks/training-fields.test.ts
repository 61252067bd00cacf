import { expect, suite, test } from "vitest";
import { rateAt } from "../../src/engine/schedule";
import type { OptimizerConfig, ScheduleConfig } from "../../src/format/run";
import { SCHEDULE_KINDS, scheduleFields } from "../../src/tasks/training-fields";

const SCHEDULE: ScheduleConfig = {
  kind: "constant",
  warmup: 20,
  horizon: 100,
  floor: 0.1,
  every: 30,
  factor: 0.5,
};
const OTHERS = { warmup: 10, floor: 0.3, every: 20, factor: 0.2 } as const;

function rates(schedule: ScheduleConfig): readonly number[] {
  const optimizer = { learningRate: 1, schedule } as OptimizerConfig;
  return Array.from({ length: 100 }, (_, step) => rateAt(optimizer, step));
}

suite("fields of a schedule", () => {
  // The horizon is the run's length, unless it is told otherwise.
  test.for(SCHEDULE_KINDS)("of %s all that it reads can be set, and nothing else", (kind) => {
    const schedule = { ...SCHEDULE, kind };
    const usual = rates(schedule).join();
    const read = Object.entries(OTHERS)
      .filter(([name, value]) => rates({ ...schedule, [name]: value }).join() !== usual)
      .map(([name]) => name);
    expect(scheduleFields(kind).map(({ name }) => name)).toEqual(read);
  });
});
