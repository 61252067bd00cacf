import { expect, suite, test } from "vitest";
import { hasCode } from "../../src/errors";
import type { ForkOptions } from "../../src/worker/api";
import { forkSpec } from "../../src/worker/fork-spec";
import type { RunDetail, RunEvent } from "../../src/worker/protocol";
import { startSpec } from "../../src/worker/start-spec";
import { sampleRecord } from "../support/run-samples";

async function parent(): Promise<RunDetail> {
  const { config, optimizer, policy, seed, steps } = startSpec({ task: "text", preset: "tiny", seed: 5 });
  const record = { ...(await sampleRecord()), task: "text", config, optimizer, policy, seed, steps };
  const events: RunEvent[] = [
    { seq: 0, step: 100, time: 1, kind: "changed", changes: { learningRate: 0.5 } },
    { seq: 1, step: 300, time: 2, kind: "changed", changes: { learningRate: 0.25 } },
  ];
  return { id: record.id, name: "parent", step: 400, steps: 400, record, events } as unknown as RunDetail;
}

suite("a fork", () => {
  test("without changes is its parent, with the rate in force at its step", async () => {
    const holder = await parent();
    const spec = forkSpec(holder, 200, {});
    expect(spec).toMatchObject({
      from: { run: holder.id, step: 200 },
      name: "parent, from step 200",
      steps: 400,
      config: holder.record.config,
      policy: holder.record.policy,
      seed: 5,
    });
    expect(spec.optimizer).toEqual({ ...holder.record.optimizer, learningRate: 0.5 });
  });

  test("is named by what is different in it, two of them at most", async () => {
    const holder = await parent();
    const named = (changes: NonNullable<ForkOptions["changes"]>): string =>
      forkSpec(holder, 200, { changes }).name;
    expect(named({ learningRate: 0.1 })).toBe("parent, from step 200, rate 0.1");
    expect(named({ learningRate: 0.5 })).toBe("parent, from step 200");
    expect(named({ learningRate: 0.1, seed: 9, config: { batchSize: 3 } })).toBe(
      "parent, from step 200, batch size 3, rate 0.1",
    );
  });

  test("that is like another one is told apart by a number", async () => {
    const first = "parent, from step 200";
    const taken = [first, `${first} (2)`];
    expect(forkSpec(await parent(), 200, {}, taken).name).toBe(`${first} (3)`);
    expect(forkSpec(await parent(), 200, { name: first }, taken).name).toBe(first);
  });

  test("of forks of forks has a name that can be stored", async () => {
    const holder = { ...(await parent()), name: "n".repeat(500) };
    expect(forkSpec(holder, 200, {}).name).toBe(`${"n".repeat(120)}…, from step 200`);
    const cut = { ...holder, name: `${"n".repeat(119)}\u{1f419}${"n".repeat(9)}` };
    expect(forkSpec(cut, 200, {}).name).toBe(`${"n".repeat(119)}…, from step 200`);
  });

  test("with changes that are undefined is the same", async () => {
    const holder = await parent();
    const changes = {
      learningRate: undefined,
      clipNorm: undefined,
      schedule: { kind: undefined },
      config: { layers: undefined },
      seed: undefined,
      policy: undefined,
    };
    const options = { changes, name: undefined, steps: undefined } as unknown as ForkOptions;
    expect(forkSpec(holder, 200, options)).toEqual(forkSpec(holder, 200, {}));
  });

  test("of the last step gets as many steps again", async () => {
    expect(forkSpec(await parent(), 400, {}).steps).toBe(800);
  });

  test("may change what no shape hangs on", async () => {
    const holder = await parent();
    const changes = {
      learningRate: 0.1,
      clipNorm: 2,
      schedule: { kind: "constant" },
      config: { batchSize: 3, dropout: 0.5 },
      seed: 9,
      policy: { save: { kind: "never" }, draw: false },
    } as const;
    const spec = forkSpec(holder, 10, { changes, name: "other" });
    expect(spec.config).toEqual({ ...holder.record.config, batchSize: 3, dropout: 0.5 });
    expect(spec.optimizer).toMatchObject({ learningRate: 0.1, clipNorm: 2, schedule: { kind: "constant" } });
    expect(spec.optimizer.schedule.horizon).toBe(400);
    expect([spec.seed, spec.policy, spec.name]).toEqual([9, changes.policy, "other"]);
  });

  test.each<[string, ForkOptions, RegExp]>([
    ["a shape", { changes: { config: { layers: 3 } } }, /"layers" cannot change in a fork/],
    ["a value out of range", { changes: { config: { dropout: 2 } } }, /Dropout \(dropout\) is 2/],
    ["a rate that is no rate", { changes: { learningRate: -1 } }, /learningRate\) is -1/],
    ["the kind of optimizer", { changes: { kind: "sgd" } as never }, /"kind" cannot change/],
    ["a seed that is none", { changes: { seed: 0.5 } }, /seed/i],
    ["too few steps", { steps: 10 }, /needs more steps than 10/],
  ])("refuses %s", async (_what, options, message) => {
    const holder = await parent();
    let failure: unknown;
    try {
      forkSpec(holder, 20, options);
    } catch (error) {
      failure = error;
    }
    expect(hasCode(failure, "invalid")).toBe(true);
    expect(String(failure)).toMatch(message);
  });
});
