/** Visits over a trainer of a few lines, and a store that is two arrays. */
import { expect, suite, test } from "vitest";
import { hasCode, HoldfastError } from "../../src/errors";
import { digestOf } from "../../src/format/digest";
import type { Environment } from "../../src/worker/protocol";
import { Visitor } from "../../src/worker/visitor";
import { LAST, lived, RUN, ToyBench } from "../support/lived-run";

type Lived = Awaited<ReturnType<typeof lived>>;

function visitorOf({ store, record }: Lived, environment: Environment = record.environment) {
  const benches: ToyBench[] = [];
  const told: string[] = [];
  const visitor = new Visitor<ToyBench>({
    storage: store,
    bench: () => {
      benches.push(new ToyBench(environment));
      return Promise.resolve(benches.at(-1) as ToyBench);
    },
    progress: ({ step }, done, total) => told.push(`${step}: ${done}/${total}`),
    now: () => 0,
  });
  const alive = (): number => benches.filter(({ disposed }) => disposed === 0).length;
  return { visitor, benches, told, alive };
}

const at = (step: number) => ({ run: RUN, step });

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof HoldfastError ? error.code : String(error);
}

suite("a visit", () => {
  test("arrives at every step, from the nearest checkpoint before it", async () => {
    const run = await lived([0, 10, 25]);
    const { visitor, alive } = visitorOf(run);
    for (let step = LAST; step >= 0; step -= 1) {
      const visit = await visitor.visit(at(step));
      expect(visit.digest).toBe(run.digests[step]);
      const checkpoint = step >= 25 ? 25 : step >= 10 ? 10 : 0;
      expect([visit.checkpoint, visit.replayed]).toEqual([checkpoint, step - checkpoint]);
      expect(visit.proof).toBe(step === checkpoint ? "stored" : "losses");
      expect(alive()).toBe(1);
    }
    await visitor.leave();
    expect(alive()).toBe(0);
  });

  test("goes on from where it is, where that is on the way", async () => {
    const run = await lived([0, 30]);
    const { visitor, benches, told } = visitorOf(run);
    await visitor.visit(at(10));
    const visit = await visitor.visit(at(14));
    expect(visit).toMatchObject({ digest: run.digests[14], checkpoint: 0, replayed: 14 });
    expect(benches).toHaveLength(1);
    expect(told.filter((line) => line.startsWith("14")).at(-1)).toBe("14: 4/4");
    await visitor.visit(at(33));
    expect(benches.map(({ disposed }) => disposed)).toEqual([1, 0]);
  });

  test("heals a damaged checkpoint, and shows by its digest that it is that one", async () => {
    const run = await lived([0, 10, 20], [20]);
    const { visitor } = visitorOf(run);
    expect(await visitor.visit(at(20))).toMatchObject({
      checkpoint: 10,
      proof: "digest",
      digest: run.digests[20],
    });
  });

  test("of another state than was saved is refused", async () => {
    const run = await lived([0, 10, 20], [20]);
    const known = run.detail.checkpointList[2];
    if (known !== undefined) known.digest = "f".repeat(64);
    const { visitor, alive } = visitorOf(run);
    expect(await codeOf(visitor.visit(at(20)))).toBe("diverged");
    expect(alive()).toBe(0);
    expect(await visitor.visit(at(15))).toMatchObject({ digest: run.digests[15] });
  });

  test.each([-1, 1.5, LAST + 1])("to step %d is refused by its number", async (step) => {
    const { visitor } = visitorOf(await lived([0]));
    expect(await codeOf(visitor.visit(at(step)))).toBe("invalid");
  });

  test("over a journal that lacks steps is refused, and never another step's state", async () => {
    const run = await lived([0]);
    const { journal } = run.store;
    run.store.journal = async (id, from) => journal(id, from, 12);
    const { visitor } = visitorOf(run);
    expect(await codeOf(visitor.visit(at(20)))).toBe("missing");
    expect(await visitor.visit(at(12))).toMatchObject({ digest: run.digests[12] });
  });

  test("over losses that are no numbers, because they were lost, is refused and blames no machine", async () => {
    const run = await lived([0]);
    run.rows.loss.fill(NaN, 4, 9);
    run.rows.rate.fill(NaN, 4, 9);
    const { visitor } = visitorOf(run);
    expect(await codeOf(visitor.visit(at(20)))).toBe("missing");
    expect(await visitor.visit(at(4))).toMatchObject({ digest: run.digests[4] });
  });

  test("with one other bit in a loss ends there", async () => {
    const run = await lived([0]);
    const bits = new Uint32Array(run.rows.loss.buffer);
    bits[6] = (bits[6] ?? 0) ^ 1;
    const { visitor } = visitorOf(run);
    expect(await codeOf(visitor.visit(at(20)))).toBe("diverged");
    expect(await visitor.visit(at(6))).toMatchObject({ digest: run.digests[6] });
  });
});

suite("in another environment", () => {
  const elsewhere = async (run: Lived) => visitorOf(run, { ...run.record.environment, browser: "Another 1" });

  test("a stored step needs no proof, one right behind it is computed from further back", async () => {
    const run = await lived([0, 10, 20]);
    const { visitor } = await elsewhere(run);
    expect(await visitor.visit(at(20))).toMatchObject({ checkpoint: 20, proof: "stored" });
    expect(await visitor.visit(at(21))).toMatchObject({
      checkpoint: 10,
      replayed: 11,
      digest: run.digests[21],
    });
  });

  test("the loss behind the last step is asked for, because it alone shows what the last update made", async () => {
    const run = await lived([0]);
    const bits = new Uint32Array(run.rows.loss.buffer);
    bits[20] = (bits[20] ?? 0) ^ 1;
    expect(await codeOf((await elsewhere(run)).visitor.visit(at(20)))).toBe("diverged");
    expect(await visitorOf(run).visitor.visit(at(20))).toMatchObject({ digest: run.digests[20] });
  });

  test("what was asked beyond leaves no trace in the state", async () => {
    const run = await lived([0]);
    const { visitor } = await elsewhere(run);
    await visitor.visit(at(20));
    const seen = await visitor.with(at(20), ({ bench }) => digestOf(bench.trainable.state()));
    expect(seen).toBe(run.digests[20]);
  });
});

suite("one at a time", () => {
  test("a newer visit ends the one under way; the same one again is the same visit", async () => {
    const run = await lived([0]);
    const { visitor, alive } = visitorOf(run);
    const first = codeOf(visitor.visit(at(30)));
    const second = visitor.visit(at(35));
    expect(visitor.visit(at(35))).toBe(second);
    expect(await first).toBe("cancelled");
    expect((await second).digest).toBe(run.digests[35]);
    expect(alive()).toBe(1);
  });

  test("one that was cancelled is begun anew by who asks for the same step again", async () => {
    const run = await lived([0]);
    const { visitor } = visitorOf(run);
    const first = codeOf(visitor.visit(at(30)));
    void visitor.leave();
    expect((await visitor.visit(at(30))).digest).toBe(run.digests[30]);
    expect(await first).toBe("cancelled");
  });

  test("leaving ends the one under way", async () => {
    const { visitor, alive } = visitorOf(await lived([0]));
    const going = codeOf(visitor.visit(at(30)));
    await visitor.leave();
    expect(await going).toBe("cancelled");
    expect(alive()).toBe(0);
  });

  test("a look in passing waits, ends nobody's visit, and keeps nothing", async () => {
    const run = await lived([0]);
    const { visitor, alive } = visitorOf(run);
    const visiting = visitor.visit(at(30));
    const looking = visitor.with(at(12), ({ visit }) => Promise.resolve(visit.digest));
    expect((await visiting).digest).toBe(run.digests[30]);
    expect(await looking).toBe(run.digests[12]);
    expect(alive()).toBe(0);
    await visitor.visit(at(8));
    await visitor.with(at(8), () => Promise.resolve());
    expect(alive()).toBe(1);
  });

  test("a failure inside leaves the next one its turn", async () => {
    const run = await lived([0]);
    const { visitor, alive } = visitorOf(run);
    const failing = visitor.with(at(5), () => Promise.reject(new HoldfastError("quota", "full")));
    expect(hasCode(await failing.catch((error: unknown) => error), "quota")).toBe(true);
    expect(alive()).toBe(0);
    expect((await visitor.visit(at(5))).digest).toBe(run.digests[5]);
  });
});
