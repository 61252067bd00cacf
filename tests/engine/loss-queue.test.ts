import { expect, test } from "vitest";
import { LossQueue } from "../../src/engine/loss-queue";
import type { JournalRows } from "../../src/format/run";
import { ToyTrainable } from "../support/toy-trainable";

function queueOf() {
  const trainable = new ToyTrainable();
  const clock = { now: 0 };
  const rows: JournalRows[] = [];
  const queue = new LossQueue(
    trainable,
    () => clock.now,
    (one) => void rows.push(one),
  );
  const submit = (step: number) =>
    queue.push(trainable.step({ step, samples: 2 * step, learningRate: 0.01, clipNorm: 0 }), 0.01, clock.now);
  return { clock, rows, queue, submit };
}

test("a step lasts until the next one is submitted, also where the next is read in another batch", async () => {
  const { clock, rows, queue, submit } = queueOf();
  for (let step = 0; step < 10; step += 1, clock.now += 5) submit(step);
  const first = queue.read();
  for (let step = 10; step < 20; step += 1, clock.now += 5) submit(step);
  await Promise.all([first, queue.read()]);
  expect(rows.flatMap(({ ms }) => [...ms])).toEqual(new Array(20).fill(5));
});

test("what goes on between two steps is part of neither", async () => {
  const { clock, rows, queue, submit } = queueOf();
  submit(0);
  clock.now += 5;
  queue.rest();
  clock.now += 1000;
  submit(1);
  clock.now += 5;
  queue.rest();
  await queue.read();
  expect(rows.flatMap(({ ms }) => [...ms])).toEqual([5, 5]);
});
