import { expect, suite, test } from "vitest";
import { Pace } from "../../src/engine/pace";

function rows(...ms: number[]) {
  return {
    from: 1,
    loss: new Float32Array(ms.length),
    rate: new Float32Array(ms.length),
    ms: new Float32Array(ms),
  };
}

suite("the pace", () => {
  test("leaves out the stretch that compiles shaders, and follows what comes after", () => {
    const pace = new Pace();
    pace.begin();
    pace.steps(rows(3000, 20));
    expect(pace.measured).toEqual({ stepMs: null, saveMs: null });
    pace.steps(rows(20, 20));
    expect(pace.measured.stepMs).toBe(20);
    pace.steps(rows(40, 40));
    expect(pace.measured.stepMs).toBe(25);
    pace.begin();
    pace.steps(rows(3000));
    pace.steps(rows());
    expect(pace.measured.stepMs).toBe(25);
  });

  test("of saves is a running mean", () => {
    const pace = new Pace();
    pace.saved(100);
    pace.saved(20);
    expect(pace.measured.saveMs).toBe(80);
  });
});
