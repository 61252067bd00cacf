import "@tensorflow/tfjs-backend-cpu";
import {
  add,
  div,
  memory,
  mul,
  scalar,
  setBackend,
  sqrt,
  square,
  sub,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, suite, test } from "vitest";
import {
  OPTIMIZER_MATH_VERSION,
  slotOf,
  type Optimizer,
  type Rule,
} from "../../src/engine/optimizers/optimizer";
import { optimizerOf } from "../../src/engine/optimizers/registry";
import type { OptimizerConfig } from "../../src/format/run";
import {
  caseOf,
  casesOf,
  KINDS,
  RECORDED_STEPS,
  runOver,
  worstError,
  type Recorded,
} from "../support/optimizer-vectors";

/** Relative: about eight roundings of float32. */
const TOLERANCE = 1e-6;
/** What a planted fault must reach at least: far outside of any rounding. */
const CAUGHT = 1e-4;

beforeAll(async () => {
  await setBackend("cpu");
});

function worstOf(ours: ReadonlyMap<number, Recorded>, theirs: ReadonlyMap<number, Recorded>): number {
  return Math.max(...RECORDED_STEPS.map((step) => worstError(ours.get(step), theirs.get(step))));
}

for (const kind of KINDS) {
  suite(`${kind} agrees with PyTorch after 1, 2, 5 and 20 steps`, () => {
    for (const { name, config, states } of casesOf(kind)) {
      test(name, async () => {
        expect(worstOf(await runOver(optimizerOf(config), config), states)).toBeLessThanOrEqual(TOLERANCE);
      });
    }
  });

  test(`${kind}: clipping, schedule and decay of all parameters each show`, async () => {
    const { config, states } = caseOf(kind, "all");
    const unclipped = { ...config, clipNorm: 0 };
    const unscheduled: OptimizerConfig = { ...config, schedule: { ...config.schedule, kind: "constant" } };
    expect(worstOf(await runOver(optimizerOf(unclipped), unclipped), states)).toBeGreaterThan(CAUGHT);
    expect(worstOf(await runOver(optimizerOf(unscheduled), unscheduled), states)).toBeGreaterThan(CAUGHT);
    expect(worstOf(await runOver(optimizerOf(config), config, { decayAll: true }), states)).toBeGreaterThan(
      CAUGHT,
    );
  });

  test(`${kind} leaves no tensor behind`, async () => {
    const { config } = caseOf(kind, "all");
    const before = memory().numTensors;
    await runOver(optimizerOf(config), config);
    expect(memory().numTensors).toBe(before);
  });
}

suite("a wrong formula is caught", () => {
  test("AdamW with L2 decay instead of decoupled", async () => {
    const { config, states } = caseOf("adamw", "weight decay");
    expect(worstOf(await runOver(optimizerOf({ ...config, kind: "adam" }), config), states)).toBeGreaterThan(
      CAUGHT,
    );
  });

  test("Adam with decoupled decay instead of L2", async () => {
    const { config, states } = caseOf("adam", "weight decay");
    expect(worstOf(await runOver(optimizerOf({ ...config, kind: "adamw" }), config), states)).toBeGreaterThan(
      CAUGHT,
    );
  });

  test("Adam with ε inside of the root, or added before the bias correction", async () => {
    const { config, states } = caseOf("adam", "plain");
    const { epsilon } = config;
    const inside = adamWith(config, (v, correction) => sqrt(add(div(v, correction), epsilon)));
    const before = adamWith(config, (v, correction) => div(add(sqrt(v), epsilon), Math.sqrt(correction)));
    const right = adamWith(config, (v, correction) => add(sqrt(div(v, correction)), epsilon));
    expect(worstOf(await runOver(inside, config), states)).toBeGreaterThan(CAUGHT);
    expect(worstOf(await runOver(before, config), states)).toBeGreaterThan(CAUGHT);
    expect(worstOf(await runOver(right, config), states)).toBeLessThanOrEqual(TOLERANCE);
  });

  test("RMSProp with ε inside of the root", async () => {
    const { config, states } = caseOf("rmsprop", "plain");
    const inside = withRule(optimizerOf(config), (rate) => (value, gradient, slots) => {
      const meanSquare = add(mul(slotOf(slots, "meanSquare"), 0.99), mul(square(gradient), 0.01));
      return {
        value: sub(value, mul(div(gradient, sqrt(add(meanSquare, config.epsilon))), rate)),
        slots: { meanSquare },
      };
    });
    expect(worstOf(await runOver(inside, config), states)).toBeGreaterThan(CAUGHT);
  });

  test("momentum without Nesterov's look ahead", async () => {
    const { config, states } = caseOf("momentum", "plain");
    const plain = withRule(optimizerOf(config), (rate) => (value, gradient, slots) => {
      const buffer = add(mul(slotOf(slots, "momentum"), config.momentum), gradient);
      return { value: sub(value, mul(buffer, rate)), slots: { momentum: buffer } };
    });
    expect(worstOf(await runOver(plain, config), states)).toBeGreaterThan(CAUGHT);
  });

  test("SGD one step of the schedule late", async () => {
    const { config, states } = caseOf("sgd", "cosine");
    const late = withRule(optimizerOf(config), (rate) => (value, gradient) => ({
      value: sub(value, mul(gradient, rate * 0.99)),
      slots: {},
    }));
    expect(worstOf(await runOver(late, config), states)).toBeGreaterThan(CAUGHT);
  });

  test("Adam whose counter starts anew in the middle", async () => {
    const { config, states } = caseOf("adam", "plain");
    const right = optimizerOf(config);
    const forgetful: Optimizer = { ...right, advance: ({ t = 0 }) => ({ t: t === 4 ? 1 : t + 1 }) };
    const ours = await runOver(forgetful, config);
    expect(worstError(ours.get(2), states.get(2))).toBeLessThanOrEqual(TOLERANCE);
    expect(worstError(ours.get(5), states.get(5))).toBeGreaterThan(CAUGHT);
  });
});

/** Adam with another denominator, written out step by step. */
function adamWith(
  config: OptimizerConfig,
  denominator: (v: Tensor, correction: number) => Tensor,
): Optimizer {
  return withRule(optimizerOf(config), (rate, t) => (value, gradient, slots) => {
    const firstMoment = add(mul(slotOf(slots, "firstMoment"), 0.9), mul(gradient, 0.1));
    const secondMoment = add(mul(slotOf(slots, "secondMoment"), 0.999), mul(square(gradient), 0.001));
    const corrected = div(firstMoment, scalar(1 - 0.9 ** t));
    const step = mul(div(corrected, denominator(secondMoment, 1 - 0.999 ** t)), rate);
    return { value: sub(value, step), slots: { firstMoment, secondMoment } };
  });
}

function withRule(optimizer: Optimizer, ruleOf: (rate: number, t: number) => Rule): Optimizer {
  return { ...optimizer, rule: (rate, { t = 0 }) => ruleOf(rate, t) };
}

/** FNV-1a over the float32 bits of a state. */
function fingerprint(state: Recorded | undefined): string {
  const values = [...(state ?? [])].flatMap(([, numbers]) => [...numbers]);
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(Float32Array.from(values).buffer))
    hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

test("the numbers are those of the math version; raise it when they change", async () => {
  const prints: Record<string, string> = {};
  for (const kind of KINDS) {
    const { config } = caseOf(kind, "all");
    prints[kind] = fingerprint((await runOver(optimizerOf(config), config)).get(20));
  }
  expect({ version: OPTIMIZER_MATH_VERSION, ...prints }).toEqual({
    version: 1,
    sgd: "fa345e5b",
    momentum: "b2256d8f",
    rmsprop: "8ba8da3c",
    adam: "857ddcfb",
    adamw: "519330ef",
  });
});
