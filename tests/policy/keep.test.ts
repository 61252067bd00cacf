import fc from "fast-check";
import { expect, suite, test } from "vitest";
import type { KeepRule } from "../../src/format/run";
import {
  describeReason,
  keepProblems,
  keepers,
  keepersWithin,
  rulesOf,
  type Candidate,
  type KeepReason,
} from "../../src/policy/keep";
import { nameOfRules, POLICIES } from "../../src/policy/presets";

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;

function candidate(step: number, more: Partial<Candidate> = {}): Candidate {
  const plain = { damaged: false, forked: false, pinned: false, tagged: false, used: null };
  return { step, time: NOW, metrics: {}, ...plain, ...more };
}

function every(spacing: number, last: number, more: (step: number) => Partial<Candidate> = () => ({})) {
  return Array.from({ length: last / spacing + 1 }, (_, at) => candidate(at * spacing, more(at * spacing)));
}

function kept(rules: readonly KeepRule[], candidates: readonly Candidate[]): number[] {
  return [...keepers(rules, candidates, NOW).keys()].sort((a, b) => a - b);
}

suite("what is kept", () => {
  test.each<[string, KeepRule[], Candidate[], number[]]>([
    ["without rules the first and the newest", [], every(10, 50), [0, 50]],
    ["the latest three", [{ kind: "latest", count: 3 }], every(10, 50), [0, 30, 40, 50]],
    ["none of the latest", [{ kind: "latest", count: 0 }], every(10, 50), [0, 50]],
    [
      "the best two, where there is a number, and the newest beside them",
      [{ kind: "best", metric: "val_loss", mode: "min", count: 2 }],
      every(10, 50, (step) => (step === 50 ? {} : { metrics: { val_loss: Math.abs(step - 25) } })),
      [0, 20, 30, 50],
    ],
    [
      "the best by most, the earlier of equals",
      [{ kind: "best", metric: "accuracy", mode: "max", count: 1 }],
      every(10, 50, (step) => ({ metrics: { accuracy: step >= 20 ? 1 : 0 } })),
      [0, 20, 50],
    ],
    ["multiples", [{ kind: "every", steps: 20 }], every(10, 50), [0, 20, 40, 50]],
    [
      "young ones",
      [{ kind: "young", seconds: 7200 }],
      every(10, 50, (step) => ({ time: NOW - (50 - step) * 0.1 * HOUR })),
      [0, 30, 40, 50],
    ],
    [
      "used ones",
      [{ kind: "used", seconds: 3600 }],
      every(10, 50, (step) => ({ used: step === 20 ? NOW - HOUR / 2 : step === 30 ? NOW - 2 * HOUR : null })),
      [0, 20, 50],
    ],
    [
      "pinned, tagged, and parents of forks, whatever the rules",
      [],
      every(10, 50, (step) => ({ pinned: step === 10, tagged: step === 20, forked: step === 30 })),
      [0, 10, 20, 30, 50],
    ],
    [
      "damaged ones take nobody's place",
      [{ kind: "latest", count: 2 }],
      every(10, 50, (step) => ({ damaged: step >= 40 })),
      [0, 20, 30, 40, 50],
    ],
    [
      "spaced: dense where recent, sparse where old",
      [{ kind: "spaced", density: 4 }],
      every(1, 32),
      [0, 1, 4, 8, 12, 16, 17, 18, 20, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32],
    ],
  ])("%s", (_what, rules, candidates, expected) => {
    expect(kept(rules, candidates)).toEqual(expected);
  });

  test("each says why", () => {
    const why = keepers([{ kind: "latest", count: 2 }], every(10, 30), NOW);
    expect(why.get(30)?.map(describeReason)).toEqual(["the newest whole one", "one of the latest 2"]);
    expect(why.get(0)?.map(describeReason)).toEqual(["the first state"]);
  });

  test("every reason has words", () => {
    const reasons: KeepReason[] = [
      ...Object.values(POLICIES).flatMap(({ keep }) => keep),
      { kind: "best", metric: "accuracy", mode: "max", count: 1 },
      { kind: "every", steps: 1000 },
      { kind: "young", seconds: 7200 },
      ...(["first", "newest", "forked", "pinned", "tagged", "damaged"] as const).map((kind) => ({ kind })),
    ];
    expect(reasons.map(describeReason)).toMatchInlineSnapshot(`
      [
        "one of the latest 5",
        "one of the best 3 by val_loss (min)",
        "spaced: dense where recent, sparse where old",
        "used in the last 7 days",
        "one of the latest 3",
        "one of the best 2 by val_loss (min)",
        "spaced: dense where recent, sparse where old",
        "used in the last 3 days",
        "one of the latest 2",
        "the best by val_loss (min)",
        "spaced: dense where recent, sparse where old",
        "the best by accuracy (max)",
        "one to every 1,000 steps",
        "not older than 2 hours",
        "the first state",
        "the newest whole one",
        "a fork began here",
        "pinned",
        "tagged",
        "damaged: kept to be named",
      ]
    `);
  });

  test("a policy is known by its rules", () => {
    expect(nameOfRules(POLICIES.lean.keep)).toBe("lean");
    expect(nameOfRules(rulesOf({ save: { kind: "never" }, draw: false }))).toBeNull();
    expect(nameOfRules(undefined)).toBeNull();
  });
});

suite("what is wrong with rules", () => {
  test.each<[KeepRule, RegExp]>([
    [{ kind: "spaced", density: Infinity }, /density of the rule "spaced" is Infinity/],
    [{ kind: "spaced", density: 0 }, /density of the rule "spaced" is 0/],
    [{ kind: "latest", count: -1 }, /count of the rule "latest" is -1/],
    [{ kind: "best", metric: "x", mode: "min", count: NaN }, /count of the rule "best" is NaN/],
    [{ kind: "every", steps: 0 }, /steps of the rule "every" is 0/],
    [{ kind: "used", seconds: -5 }, /seconds of the rule "used" is -5/],
  ])("%o", (bad, message) => {
    expect(keepProblems([bad], undefined).join()).toMatch(message);
  });

  test("a budget of nothing", () => {
    expect(keepProblems([], 0)).toHaveLength(1);
  });

  test("nothing is wrong with the presets", () => {
    for (const { keep } of Object.values(POLICIES)) expect(keepProblems(keep, 1e9)).toEqual([]);
  });
});

const rule: fc.Arbitrary<KeepRule> = fc.oneof(
  fc.record({ kind: fc.constant("latest" as const), count: fc.nat(5) }),
  fc.record({
    kind: fc.constant("best" as const),
    metric: fc.constantFrom("val_loss", "accuracy"),
    mode: fc.constantFrom("min" as const, "max" as const),
    count: fc.nat(3),
  }),
  fc.record({ kind: fc.constant("every" as const), steps: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ kind: fc.constant("spaced" as const), density: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant("young" as const), seconds: fc.nat(10_000) }),
  fc.record({ kind: fc.constant("used" as const), seconds: fc.nat(10_000) }),
);

const candidates: fc.Arbitrary<Candidate[]> = fc
  .uniqueArray(
    fc.record({
      step: fc.nat(2000),
      time: fc.integer({ min: NOW - 20_000_000, max: NOW }),
      metrics: fc.dictionary(fc.constantFrom("val_loss", "accuracy"), fc.double({ noNaN: true })),
      damaged: fc.boolean(),
      forked: fc.boolean(),
      pinned: fc.boolean(),
      tagged: fc.boolean(),
      used: fc.option(fc.integer({ min: NOW - 20_000_000, max: NOW })),
    }),
    { selector: ({ step }) => step, minLength: 1, maxLength: 60 },
  )
  .map((list) => list.sort((a, b) => a.step - b.step));

/** Bytes of checkpoints of many sizes. */
function weigh(steps: ReadonlyMap<number, unknown>): number {
  return [...steps.keys()].reduce((sum, step) => sum + ((step * 37) % 101), 0);
}

suite("whatever the rules", () => {
  test("the first, the newest whole one and all that a person protected stay, within any budget", () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), candidates, fc.nat(3000), (rules, list, budget) => {
        const stays = keepersWithin(rules, list, NOW, { bytes: budget, weigh });
        const protectedOnes = [
          list[0],
          list.findLast(({ damaged }) => !damaged),
          ...list.filter(({ forked, pinned, tagged }) => forked || pinned || tagged),
        ];
        for (const one of protectedOnes) if (one !== undefined) expect(stays.has(one.step)).toBe(true);
      }),
    );
  });

  test("no rule takes anything from another one", () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), rule, candidates, (rules, more, list) => {
        const before = keepers(rules, list, NOW);
        const after = keepers([...rules, more], list, NOW);
        for (const step of before.keys()) expect(after.has(step)).toBe(true);
      }),
    );
  });

  test("a budget is kept, unless what always stays is more", () => {
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), candidates, fc.nat(3000), (rules, list, budget) => {
        const least = keepers(
          rules.filter(({ kind }) => kind === "best").concat([{ kind: "latest", count: 1 }]),
          list,
          NOW,
        );
        expect(weigh(keepersWithin(rules, list, NOW, { bytes: budget, weigh }))).toBeLessThanOrEqual(
          Math.max(budget, weigh(least)),
        );
      }),
    );
  });

  test("thinned again and again, what is spaced leaves no hole wider than twice what it may be", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 64 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 400 }),
        (density, gaps) => {
          let list: readonly Candidate[] = [candidate(0)];
          for (const gap of gaps) {
            const step = (list.at(-1)?.step ?? 0) + gap;
            const all = [...list, candidate(step)];
            const stays = keepers([{ kind: "spaced", density }], all, NOW);
            list = all.filter((one) => stays.has(one.step));
          }
          const newest = list.at(-1)?.step ?? 0;
          const widest = Math.max(...gaps);
          for (const [at, { step }] of list.entries()) {
            const before = list[at - 1]?.step ?? step;
            expect(step - before).toBeLessThanOrEqual(2 * ((newest - before) / density) + 2 * widest);
          }
          // Each doubling of the distance has as many as the density says, and a few at its ends.
          expect(list.length).toBeLessThanOrEqual((density + 2) * (2 + Math.log2(1 + newest)));
        },
      ),
    );
  });
});
