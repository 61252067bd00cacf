import { expect, test } from "vitest";
import { configStretches } from "../../src/checkpoint/configs";
import type { RunEvent } from "../../src/format/run";
import { sampleRecord } from "../support/run-samples";

const EVENTS: readonly RunEvent[] = [
  { seq: 0, step: 0, time: 0, kind: "started" },
  { seq: 1, step: 5, time: 0, kind: "changed", changes: { learningRate: 0.5 } },
  { seq: 2, step: 5, time: 0, kind: "changed", changes: { clipNorm: 2 } },
  { seq: 3, step: 8, time: 0, kind: "extended", steps: 2000 },
  { seq: 4, step: 9, time: 0, kind: "extended", steps: 3000, horizon: 3000 },
];

test("a stretch begins where settings change, and keeps what was changed before", async () => {
  const stretches = configStretches(await sampleRecord(), EVENTS, 100);
  expect(
    stretches.map(({ from, optimizer }) => [
      from,
      optimizer.learningRate,
      optimizer.clipNorm,
      optimizer.schedule.horizon,
    ]),
  ).toEqual([
    [0, 0.01, 1, 1000],
    [5, 0.5, 2, 1000],
    [9, 0.5, 2, 3000],
  ]);
});

test("a checkpoint does not know what came after it", async () => {
  expect(configStretches(await sampleRecord(), EVENTS, 4)).toHaveLength(1);
});

test("a change at the first step is the first stretch", async () => {
  const early: RunEvent = { seq: 0, step: 0, time: 0, kind: "changed", changes: { learningRate: 0.5 } };
  expect(configStretches(await sampleRecord(), [early], 9).map(({ from }) => from)).toEqual([0]);
});

test("a change that was made earlier for a later step stands after a nearer one", async () => {
  const events: readonly RunEvent[] = [
    { seq: 0, step: 20, time: 0, kind: "changed", changes: { learningRate: 0.2 } },
    { seq: 1, step: 10, time: 0, kind: "changed", changes: { learningRate: 0.1 } },
  ];
  const stretches = configStretches(await sampleRecord(), events, 30);
  expect(stretches.map(({ from, optimizer }) => [from, optimizer.learningRate])).toEqual([
    [0, 0.01],
    [10, 0.1],
    [20, 0.2],
  ]);
});
