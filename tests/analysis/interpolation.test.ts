import { expect, suite, test } from "vitest";
import { ALPHAS, assertOneLine, barrierOf, interpolated } from "../../src/analysis/interpolation";
import type { State } from "../../src/format/tensors";

function state(params: Record<string, number[]>, slots: Record<string, number[]> = {}): State {
  const tensors = [...Object.entries(params), ...Object.entries(slots)].map(([name, list]) => ({
    name,
    dtype: "float32" as const,
    shape: [list.length],
    values: Float32Array.from(list),
  }));
  return { tensors, scalars: { step: 0, samples: 0, counters: {} } };
}

const valuesAt = (a: State, b: State, alpha: number) =>
  interpolated(a, b, alpha).tensors.map(({ name, values }) => [name, [...values]]);

suite("the line", () => {
  test("has both ends among its points, to the bit, and a quarter beyond each", () => {
    expect(ALPHAS).toContain(0);
    expect(ALPHAS).toContain(1);
    expect([ALPHAS.at(0), ALPHAS.at(-1), ALPHAS.length]).toEqual([-0.25, 1.25, 25]);
    const values = [0.1, -1e-30, 3e38, 1 / 3];
    const [a, b] = [state({ "param/w": values }), state({ "param/w": [7, 0.2, -1, 1e-9] })];
    expect(interpolated(a, b, 0).tensors[0]?.values).toEqual(a.tensors[0]?.values);
    expect(interpolated(a, b, 1).tensors[0]?.values).toEqual(b.tensors[0]?.values);
  });

  test("is straight, rounded once, and takes parameters by name and no slots", () => {
    const a = state({ "param/w": [1, 2], "param/b": [0] }, { "slot/m/w": [5, 5] });
    const b = state({ "param/b": [4], "param/w": [3, -2] });
    expect(valuesAt(a, b, 0.25)).toEqual([
      ["param/w", [1.5, 1]],
      ["param/b", [1]],
    ]);
    expect(valuesAt(a, b, 1.25)).toEqual([
      ["param/w", [3.5, -3]],
      ["param/b", [5]],
    ]);
    const [x, y] = [Math.fround(1.2), Math.fround(12 / 7 + 0.3)];
    const line = interpolated(state({ "param/w": [x] }), state({ "param/w": [y] }), 0.3125);
    const middle = line.tensors[0]?.values[0];
    expect(middle).toBe(Math.fround(0.6875 * x + 0.3125 * y));
    // The control: with each product rounded by itself it would be another number.
    expect(Math.fround(Math.fround(0.6875 * x) + Math.fround(0.3125 * y))).not.toBe(middle);
  });

  test("does not lead to a model of another shape, and says which tensor", () => {
    const a = state({ "param/w": [1, 2], "param/b": [0] });
    expect(() =>
      assertOneLine(a, state({ "param/b": [1], "param/w": [5, 5] }, { "slot/v/b": [1] })),
    ).not.toThrow();
    expect(() => assertOneLine(a, state({ "param/w": [1, 2, 3], "param/c": [0] }))).toThrow(
      /b is \[1\] and missing, c is missing and \[1\], w is \[2\] and \[3\]\. Choose/,
    );
  });
});

suite("a barrier", () => {
  const points = (losses: Readonly<Record<number, number>>) =>
    Object.entries(losses)
      .map(([alpha, val_loss]) => ({ alpha: Number(alpha), metrics: { val_loss } }))
      .sort((x, y) => x.alpha - y.alpha);

  test("is the highest rise above the straight line from one loss to the other", () => {
    // Between 1 and 2 the straight line is at 1.25 and 1.5 there.
    expect(barrierOf(points({ 0: 1, 0.25: 1.75, 0.5: 1.875, 1: 2 }))).toEqual({ alpha: 0.25, height: 0.5 });
  });

  test("is none where the loss stays below it, whatever is beyond the ends", () => {
    expect(barrierOf(points({ [-0.25]: 9, 0: 1, 0.5: 1.25, 1: 2, 1.25: 9 }))).toEqual({
      alpha: 0,
      height: 0,
    });
  });

  test("cannot be told where an end has no loss, and leaves out a point without one", () => {
    expect(barrierOf(points({ 0: 1, 0.5: 2 }))).toBeNull();
    const hole = [{ alpha: 0.5, metrics: {} }];
    expect(barrierOf([...points({ 0: 1, 0.25: 1.5, 1: 1 }), ...hole])).toEqual({ alpha: 0.25, height: 0.5 });
  });
});
