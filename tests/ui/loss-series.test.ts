import { expect, suite, test } from "vitest";
import { axisEnd, LossSeries, pointsAt } from "../../src/ui/loss-series";
import type { JournalRows } from "../../src/worker/protocol";

function rows(from: number, losses: readonly number[]): JournalRows {
  return {
    from,
    loss: Float32Array.from(losses),
    rate: Float32Array.from(losses, (_, at) => 0.5 + at),
    ms: new Float32Array(losses.length),
  };
}

suite("loss series", () => {
  test("rows that follow are appended, far beyond the first capacity", () => {
    const series = new LossSeries();
    for (let from = 1; from < 5000; from += 7) {
      expect(
        series.append(rows(from, [from, from + 1, from + 2, from + 3, from + 4, from + 5, from + 6])),
      ).toBe(true);
    }
    expect(series.first).toBe(1);
    expect(series.last).toBe(series.length);
    for (const step of [1, 1024, 1025, 4096, series.last]) expect(series.lossAt(step)).toBe(step);
    expect(series.lossAt(0)).toBeNull();
    expect(series.lossAt(series.last + 1)).toBeNull();
  });

  test("a fork's rows begin after its first step", () => {
    const series = new LossSeries();
    expect(series.append(rows(601, [3, 2]))).toBe(true);
    expect([series.first, series.last, series.lossAt(602), series.rateAt(602)]).toEqual([601, 602, 2, 1.5]);
  });

  test("is smoothed from its parent's losses on, which are none of its own", () => {
    const losses = Array.from({ length: 300 }, (_, at) => 5 / (1 + at / 20) + (at % 7) / 10);
    const [whole, fork, alone] = [new LossSeries(), new LossSeries(), new LossSeries()];
    whole.append(rows(1, losses));
    for (const series of [fork, alone]) series.append(rows(201, losses.slice(200)));
    fork.follow(Float32Array.from(losses.slice(0, 200)));
    const smoothed = (series: LossSeries) => series.view(201, 300, 1000, 0.9, false).smooth;
    for (const [at, value] of smoothed(fork).entries())
      expect(value).toBeCloseTo(smoothed(whole)[at] ?? 0, 5);
    expect(smoothed(alone)[0]).not.toBeCloseTo(smoothed(whole)[0] ?? 0, 2);
    expect([fork.first, fork.length, fork.lossAt(200)]).toEqual([201, 100, null]);
    const low = smoothed(whole)[50] ?? 0;
    expect(fork.firstAtMost(low + 1e-6, 0.9)).toBe(whole.firstAtMost(low + 1e-6, 0.9));
  });

  test("steps computed again replace what was there, and keep what is beyond", () => {
    const series = new LossSeries();
    series.append(rows(1, [5, 4, 3, 2]));
    expect(series.append(rows(2, [40, 30]))).toBe(true);
    expect([1, 2, 3, 4].map((step) => series.lossAt(step))).toEqual([5, 40, 30, 2]);
  });

  test("a gap is refused and changes nothing", () => {
    const series = new LossSeries();
    series.append(rows(1, [5, 4]));
    expect(series.append(rows(4, [2]))).toBe(false);
    expect(series.append(rows(0, [2]))).toBe(false);
    expect([series.length, series.lossAt(2)]).toEqual([2, 4]);
  });

  test("no rows are no gap", () => {
    expect(new LossSeries().append(rows(9, []))).toBe(true);
  });
});

suite("chart view", () => {
  function series(losses: readonly number[]): LossSeries {
    const made = new LossSeries();
    made.append(rows(1, losses));
    return made;
  }

  test("few steps are drawn as they are", () => {
    const view = series([4, 2, 3]).view(0, 10, 100, 0, false);
    expect(view).toEqual({ x: [1, 2, 3], raw: [4, 2, 3], smooth: [4, 2, 3] });
  });

  test("the smoothed line starts at the first loss and not at 0", () => {
    const { smooth } = series([4, 4, 4, 4]).view(0, 10, 100, 0.9, false);
    for (const value of smooth) expect(value).toBeCloseTo(4, 10);
  });

  test("smoothing is the average with corrected start", () => {
    const { smooth } = series([1, 3]).view(0, 10, 100, 0.5, false);
    expect(smooth[1]).toBeCloseTo((0.25 * 1 + 0.5 * 3) / 0.75, 10);
  });

  test("the first step with a loss that low is found on the smoothed line", () => {
    const falling = series([4, 1, 4, 3, 2, Number.NaN, 1, 1]);
    expect(falling.firstAtMost(2, 0)).toBe(2);
    expect(falling.firstAtMost(2.6, 0.5)).toBe(2);
    expect(falling.firstAtMost(1.5, 0.5)).toBe(8);
    expect(falling.firstAtMost(0.5, 0)).toBeNull();
    expect(new LossSeries().firstAtMost(1, 0)).toBeNull();
  });

  test("thinned, a single spike up and a single spike down are still drawn", () => {
    const losses = Array.from({ length: 10_000 }, () => 1);
    losses[3333] = 50;
    losses[7777] = -50;
    const { x, raw } = series(losses).view(0, 10_000, 200, 0.9, false);
    expect(x.length).toBeLessThanOrEqual(200);
    expect(x[raw.indexOf(50)]).toBe(3334);
    expect(x[raw.indexOf(-50)]).toBe(7778);
    expect(x.toSorted((a, b) => a - b)).toEqual(x);
    expect(x.at(0)).toBe(1);
  });

  test("a loss that is no number leaves a hole in the line and none in the average", () => {
    const { x, raw, smooth } = series([2, Number.NaN, Number.POSITIVE_INFINITY, 2]).view(
      0,
      10,
      100,
      0.9,
      false,
    );
    expect(x).toEqual([1, 2, 3, 4]);
    expect(raw).toEqual([2, null, null, 2]);
    expect(smooth.at(-1)).toBeCloseTo(2, 10);
  });

  test("a log scale leaves out what has no logarithm", () => {
    expect(series([1, 0, -1]).view(0, 10, 100, 0, true).raw).toEqual([1, null, null]);
    expect(series([1, 0, -1]).view(0, 10, 100, 0, false).raw).toEqual([1, 0, -1]);
  });

  test("a stretch is shown alone, with the average of all before it", () => {
    const { x, smooth } = series([9, 9, 9, 1]).view(4, 4, 100, 0.9, false);
    expect(x).toEqual([4]);
    expect(smooth[0]).toBeGreaterThan(6);
  });
});

suite("end of the axis", () => {
  test("a run that trains has room ahead, and the axis stands still between strides", () => {
    expect(axisEnd(0, 1240, 5000, true)).toBeGreaterThan(1240);
    expect(axisEnd(0, 1241, 5000, true)).toBe(axisEnd(0, 1240, 5000, true));
  });

  test("it never goes beyond the steps asked for, nor stops short of the run", () => {
    expect(axisEnd(0, 4990, 5000, true)).toBe(5000);
    for (const step of [0, 1, 7, 8, 100, 1023, 1024, 5000]) {
      expect(axisEnd(0, step, 5000, true)).toBeGreaterThanOrEqual(step);
      expect(axisEnd(600, 600 + step, 9000, true)).toBeGreaterThanOrEqual(600 + step);
    }
  });

  test("a run at rest fills it", () => {
    expect(axisEnd(0, 820, 2000, false)).toBe(820);
    expect(axisEnd(600, 600, 2000, false)).toBe(610);
  });
});

suite("evaluations among the points of a view", () => {
  const at = (step: number, val_loss: number) => ({ step, metrics: { val_loss } });

  test("stand at the nearest step that is drawn, and not beyond the view", () => {
    const x = [10, 20, 30, 40];
    const points = pointsAt(x, [at(5, 9), at(10, 3), at(24, 2), at(39, 1), at(50, 9)], "val_loss", false);
    expect(points).toEqual([3, 2, null, 1]);
  });

  test("are left out where they lack the metric or a log scale cannot show them", () => {
    const made = [at(10, 0), { step: 20, metrics: { other: 1 } }, at(30, 2)];
    expect(pointsAt([10, 20, 30], made, "val_loss", true)).toEqual([null, null, 2]);
    expect(pointsAt([], made, "val_loss", false)).toEqual([]);
  });
});

suite("a view by blocks is the view of each row", () => {
  /** As it was written first: every row looked at. */
  function plain(
    losses: readonly number[],
    from: number,
    to: number,
    points: number,
    past: number,
    positive: boolean,
  ) {
    const x: number[] = [];
    const raw: (number | null)[] = [];
    const smooth: (number | null)[] = [];
    const bucket = Math.max(1, Math.ceil((2 * (to - from + 1)) / points));
    let sum = 0;
    let weight = 0;
    let seen: number[] = [];
    for (let step = 1; step <= to; step += 1) {
      const value = losses[step - 1]!;
      const isDrawable = Number.isFinite(value) && (!positive || value > 0);
      if (isDrawable) {
        sum = past * sum + (1 - past) * value;
        weight = past * weight + (1 - past);
      }
      if (step < from) continue;
      if (isDrawable) seen.push(step);
      if ((step - from + 1) % bucket !== 0 && step !== to) continue;
      const at = (step: number) => losses[step - 1]!;
      const low = seen.reduce((best, step) => (at(step) < at(best) ? step : best), seen[0] ?? step);
      const high = seen.reduce((best, step) => (at(step) > at(best) ? step : best), seen[0] ?? step);
      for (const step of new Set([Math.min(low, high), Math.max(low, high)])) {
        x.push(step);
        raw.push(seen.length === 0 ? null : at(step));
        smooth.push(weight > 0 ? sum / weight : null);
      }
      seen = [];
    }
    return { x, raw, smooth };
  }

  /** Repeatable, with ties, losses that no log scale shows, and some that are none. */
  function made(length: number, salt: number): number[] {
    return Array.from({ length }, (_, at) => {
      const value = Math.abs(Math.imul(at + 1, 2_654_435_761 + salt)) % 97;
      if (value === 5) return Number.NaN;
      return value < 3 ? -value : value;
    });
  }

  test.each([
    [1, 5000, 40],
    [1, 5000, 10_000],
    [130, 4999, 300],
    [64, 128, 8],
    [4000, 4001, 100],
  ])("steps %i to %i in about %i points", (from, to, points) => {
    const losses = made(5000, 0);
    const series = new LossSeries();
    series.append(rows(1, losses));
    const exact = losses.map((value) => Math.fround(value));
    for (const past of [0, 0.9, 0.99]) {
      for (const positive of [false, true])
        expect(series.view(from, to, points, past, positive)).toEqual(
          plain(exact, from, to, points, past, positive),
        );
    }
  });

  test("also after more rows came and others were replaced", () => {
    const series = new LossSeries();
    const losses = made(3000, 0);
    series.append(rows(1, losses));
    series.view(1, 3000, 200, 0.9, false);
    const others = made(1000, 1);
    losses.splice(2500, 1000, ...others);
    series.append(rows(2501, others));
    expect(series.view(1, 3500, 200, 0.9, false)).toEqual(plain(losses, 1, 3500, 200, 0.9, false));
  });
});
