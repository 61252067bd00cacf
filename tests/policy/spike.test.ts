import { expect, test } from "vitest";
import type { JournalRows } from "../../src/format/run";
import { SpikeWatch } from "../../src/policy/spike";

function rows(from: number, losses: readonly number[]): JournalRows {
  const loss = Float32Array.from(losses);
  return { from, loss, rate: new Float32Array(loss.length), ms: new Float32Array(loss.length) };
}

const USUAL = Array.from({ length: 64 }, (_, i) => (i % 2 === 0 ? 1 : 2));

test("names the first loss that is far above the median of the 64 before it", () => {
  const watch = new SpikeWatch();
  expect(watch.see(rows(1, USUAL), 4)).toBeNull();
  expect(watch.see(rows(65, [7.9, 8.5, 100]), 4)).toEqual({ step: 66, loss: 8.5, usual: 2 });
});

test("is silent until it has seen 64 losses, and again after it begins anew", () => {
  const watch = new SpikeWatch();
  expect(watch.see(rows(1, [...USUAL.slice(1), 100]), 4)).toBeNull();
  const other = new SpikeWatch();
  other.see(rows(1, USUAL), 4);
  other.begin();
  expect(other.see(rows(65, [100]), 4)).toBeNull();
});

test("finds the same however the losses are cut into stretches", () => {
  const losses = [...USUAL, 1, 2, 9, 1];
  const whole = new SpikeWatch().see(rows(1, losses), 4);
  const watch = new SpikeWatch();
  const found = losses
    .map((loss, index) => watch.see(rows(1 + index, [loss]), 4))
    .find((one) => one !== null);
  expect(found).toEqual(whole);
  expect(whole?.step).toBe(67);
});

test("says nothing of losses around 0, of which there is no multiple", () => {
  const watch = new SpikeWatch();
  watch.see(rows(1, new Array<number>(64).fill(0)), 4);
  expect(watch.see(rows(65, [1]), 4)).toBeNull();
});
