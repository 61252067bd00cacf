/** Runs of a foreign trainer: what is kept, what is refused, and what is said. */
import { afterEach, beforeEach, expect, suite, test, vi } from "vitest";
import { arrays, digestOf, HoldfastError, type Trainer } from "../../src/index";
import { pageOf, stubNavigator } from "../support/library-store";
import { codeOf } from "../support/run-samples";

beforeEach(stubNavigator);
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Updates that a state of two arrays determines, and nothing else. */
function toy(start = 1) {
  const weights = Float32Array.of(start, 2, 3);
  const momentum = new Float32Array(3);
  const trainer = arrays({ "param/weights": weights, "slot/momentum/weights": momentum });
  const update = (step: number): number => {
    for (let i = 0; i < 3; i++) {
      momentum[i] = 0.9 * momentum[i]! + 0.1 * Math.fround(Math.sin(step + i) + weights[i]!);
      weights[i] = weights[i]! - 0.01 * momentum[i]!;
    }
    return weights.reduce((sum, value) => sum + value ** 2, 0);
  };
  return { trainer, update, weights };
}

const EVERY_10 = { save: { kind: "steps", every: 10 } } as const;

async function undisturbed(steps: number): Promise<string> {
  const { store } = pageOf();
  const { trainer, update } = toy();
  const run = await store.open("calm", trainer, { policy: { save: { kind: "never" } } });
  while (run.step < steps) await run.stepped({ loss: update(run.step), samples: 4 });
  return (await run.finish()).digest;
}

/** Trains to a step, and the page is gone: nothing of it says good-bye. */
async function abandoned(steps: number) {
  const page = pageOf();
  const { trainer, update } = toy();
  const run = await page.store.open("toy", trainer, { seed: 7, policy: EVERY_10 });
  while (run.step < steps) {
    await run.stepped({ loss: update(run.step), samples: 4, rate: 0.01 });
    // Simulated disks are slower than these steps: no save is to be passed over.
    if (run.step % 10 === 0) await page.store.state(run.id, run.step).catch(() => undefined);
  }
  await run.save();
  return { page, run };
}

suite("a run", () => {
  test("counts the step at which it tells of trouble, so that whoever goes on makes the next one", async () => {
    const { store, service } = pageOf();
    const { trainer, update } = toy();
    const run = await store.open("toy", trainer, { policy: { save: { kind: "steps", every: 1 } } });
    const full = () => Promise.reject(new HoldfastError("quota", "The disk is full."));
    const save = vi.spyOn(service, "save").mockImplementation(full);
    const thrown: number[] = [];
    for (let made = 1; made <= 20; made++) {
      await run.stepped({ loss: update(made - 1) }).catch(() => void thrown.push(made));
      expect(run.step).toBe(made);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    expect(thrown.length).toBeGreaterThan(0);
    save.mockRestore();
    // Asked for, a save does its work, whatever failed before it.
    expect((await run.save()).step).toBe(20);
  });

  test("saves nothing within an epoch that could not be gone on with, and lets go of it all the same", async () => {
    const { store } = pageOf();
    const { trainer, update } = toy();
    const run = await store.open("toy", trainer, { policy: { save: { kind: "never" } } });
    for (let step = 0; step < 5; step++) await run.stepped({ loss: update(step), mayEndHere: step === 3 });
    expect(await codeOf(run.save())).toBe("invalid");
    expect(await codeOf(run.finish())).toBe("invalid");
    await run.close();
    const again = await store.open("toy", toy().trainer);
    expect(again.step).toBe(0);
    expect(again.restored?.behind).toBe(5);
  });

  test("of arrays that cannot be kept as they are is refused by name", () => {
    const lost: unknown = Float64Array.of(1.5);
    expect(() => arrays({ "param/w": lost as Float32Array })).toThrow(/"param\/w" is no Float32Array/);
  });

  test("goes on where it was, to the same digest", async () => {
    const { page, run } = await abandoned(25);
    const again = toy(100);
    await run.close();
    const resumed = await page.store.open("toy", again.trainer);
    expect(resumed.restored).toMatchObject({ behind: 0, environmentChanged: false, damaged: [] });
    expect([resumed.step, resumed.samples, resumed.seed]).toEqual([25, 100, 7]);
    while (resumed.step < 40) await resumed.stepped({ loss: again.update(resumed.step), samples: 4 });
    expect((await resumed.finish()).digest).toBe(await undisturbed(40));
    expect((await page.store.runs())[0]).toMatchObject({ name: "toy", status: "finished", step: 40 });
  });

  test("control: with a slot that is not restored, it ends elsewhere", async () => {
    const { page, run } = await abandoned(25);
    await run.close();
    const again = toy(100);
    const forgetful: Trainer = {
      read: () => again.trainer.read(),
      restore: ({ tensors }) => {
        const { values } = tensors.find(({ name }) => name === "param/weights")!;
        again.weights.set(values);
      },
    };
    const resumed = await page.store.open("toy", forgetful);
    while (resumed.step < 40) await resumed.stepped({ loss: again.update(resumed.step), samples: 4 });
    expect((await resumed.finish()).digest).not.toBe(await undisturbed(40));
  });

  test("computes again what the journal is ahead of, and says where it differs", async () => {
    const page = pageOf();
    const { trainer, update } = toy();
    const run = await page.store.open("toy", trainer, { policy: { save: { kind: "never" } } });
    while (run.step < 70) await run.stepped({ loss: update(run.step) });
    // The journal is sent every 64 steps; the page dies, and its lock with it.
    await page.service.idle();
    await page.service.letGo(run.id);

    const faithful = toy();
    const first = await page.store.open("toy", faithful.trainer);
    expect(first.restored).toMatchObject({ checkpoint: { step: 0 }, behind: 64 });
    while (first.step < 64) await first.stepped({ loss: faithful.update(first.step) });
    await page.service.letGo(run.id);

    const other = toy();
    const second = await page.store.open("toy", other.trainer);
    const going = (async () => {
      while (second.step < 64) await second.stepped({ loss: other.update(second.step) + 1e-3 });
    })();
    await expect(going).rejects.toMatchObject({ code: "diverged" });
    expect(second.step).toBe(1);
    // And stays so: nothing more is saved of it.
    expect(await codeOf(second.save())).toBe("diverged");
  });

  test("is not compared where its trainer says that it cannot be", async () => {
    const page = pageOf();
    const { trainer, update } = toy();
    const loose = { ...trainer, inexact: ["it draws from Math.random"] };
    const run = await page.store.open("toy", loose, { policy: { save: { kind: "never" } } });
    while (run.step < 64) await run.stepped({ loss: update(run.step) });
    await page.service.idle();
    await page.service.letGo(run.id);
    const again = await page.store.open("toy", loose);
    while (again.step < 64) await again.stepped({ loss: 0.5 });
    expect(again.step).toBe(64);
  });

  test("takes losses that are still on their way, in the order of steps", async () => {
    const page = pageOf();
    const { trainer, update } = toy();
    const run = await page.store.open("toy", trainer, { policy: EVERY_10 });
    while (run.step < 20) {
      const loss = update(run.step);
      const wait = run.step % 2 === 0 ? 3 : 0;
      await run.stepped({ loss: new Promise((resolve) => setTimeout(() => resolve([loss]), wait)) });
    }
    await run.close();
    const losses = await page.store.losses(run.id);
    const expected = toy();
    expect([...losses]).toEqual(Array.from({ length: 20 }, (_, step) => Math.fround(expected.update(step))));
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "with the loss %s is not saved from there on",
    async (bad) => {
      const page = pageOf();
      const { trainer, update } = toy();
      const run = await page.store.open("toy", trainer, { policy: { save: { kind: "steps", every: 1 } } });
      await run.stepped({ loss: update(0) });
      await run.save();
      await expect(run.stepped({ loss: bad })).rejects.toMatchObject({ code: "bad-numbers" });
      await run.close();
      const again = await page.store.open("toy", toy().trainer);
      expect(again.step).toBe(1);
    },
  );

  test("without losses is kept all the same", async () => {
    const page = pageOf();
    const run = await page.store.open("toy", toy().trainer, { policy: EVERY_10 });
    for (let i = 0; i < 12; i++) await run.stepped();
    await run.close();
    expect([...(await page.store.losses(run.id))]).toEqual(new Array(12).fill(Number.NaN));
    expect((await page.store.open("toy", toy().trainer)).step).toBe(12);
  });

  test("tells of a failed save: to who listens, or else to the next step", async () => {
    const page = pageOf();
    const failing: Trainer = { ...toy().trainer, read: () => Promise.reject(new Error("no copy")) };
    let reads = 0;
    const { trainer } = toy();
    const later: Trainer = { ...trainer, read: () => (reads++ === 0 ? trainer.read() : failing.read()) };
    const run = await page.store.open("toy", later, { policy: { save: { kind: "steps", every: 1 } } });
    await run.stepped({ loss: 1 });
    await new Promise((resolve) => setTimeout(resolve));
    await expect(run.stepped({ loss: 1 })).rejects.toThrow("no copy");

    const heard: string[] = [];
    reads = 0;
    const other = await page.store.open("other", later, {
      policy: { save: { kind: "steps", every: 1 } },
      trouble: (error) => heard.push(error.message),
    });
    await other.stepped({ loss: 1 });
    await new Promise((resolve) => setTimeout(resolve));
    await other.stepped({ loss: 1 });
    expect(heard).toContain("no copy");
  });

  test("that another page took over changes nothing more", async () => {
    const page = pageOf();
    const run = await page.store.open("toy", toy().trainer, { policy: EVERY_10 });
    await run.stepped({ loss: 1 });
    const other = pageOf(page.disk, page.locks);
    expect(await codeOf(other.store.open("toy", toy().trainer))).toBe("busy");
    const taken = await other.store.open("toy", toy().trainer, { takeOver: true });
    await taken.stepped({ loss: 1 });
    expect(await codeOf(run.save())).toBe("fenced");
    await run.close();
    await taken.close();
  });
});

suite("a page that is hidden", () => {
  test("saves at the next step, once, and only what is new", async () => {
    const watching: (() => void)[] = [];
    vi.stubGlobal("document", {
      visibilityState: "hidden",
      addEventListener: (_name: string, work: () => void) => watching.push(work),
      removeEventListener: () => undefined,
    });
    vi.stubGlobal("addEventListener", () => undefined);
    vi.stubGlobal("removeEventListener", () => undefined);
    let now = 1000;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    const page = pageOf();
    const run = await page.store.open("toy", toy().trainer, {
      policy: { save: { kind: "steps", every: 1e6 } },
    });
    const idle = await page.store.open("idle", toy().trainer, { policy: { save: { kind: "never" } } });
    now += 60_000;
    for (const work of watching) work();
    expect(run.due()).toBe(false);
    await run.stepped({ loss: 1 });
    await run.stepped({ loss: 1 });
    await idle.stepped({ loss: 1 });
    await run.save();
    const reasons = (await page.store.detail(run.id)).checkpointList.map(({ step, reason }) => [
      step,
      reason,
    ]);
    expect(reasons).toContainEqual([1, "hidden"]);
    expect((await page.store.detail(idle.id)).checkpointList).toHaveLength(1);
  });
});

suite("a name", () => {
  test.each([
    ["another seed", { seed: 8 }, /the seed 7 and not 8/],
    ["other settings", { settings: { batch: 64 } }, /the settings \{"batch":32\}/],
    ["other data", { data: { bytes: Uint8Array.of(9), name: "x" } }, /data with the hash/],
  ])("with %s is refused", async (_what, asked, said) => {
    const { store } = pageOf();
    const run = await store.open("toy", toy().trainer, {
      seed: 7,
      settings: { batch: 32 },
      data: { bytes: Uint8Array.of(1, 2), name: "two" },
    });
    expect([...(await store.data(run.id))]).toEqual([1, 2]);
    await run.close();
    await expect(store.open("toy", toy().trainer, asked)).rejects.toThrow(said);
    // And nobody is kept out by it.
    await (await store.open("toy", toy().trainer, { seed: 7, settings: { batch: 32 } })).close();
  });

  test("with the state of another model is refused, and free afterwards", async () => {
    const { store } = pageOf();
    await (await store.open("toy", toy().trainer)).close();
    const other = arrays({ "param/weights": new Float32Array(4) });
    await expect(store.open("toy", other)).rejects.toThrow(
      /param\/weights is float32 \[3\], not float32 \[4\]; slot\/momentum\/weights is unknown/,
    );
    await (await store.open("toy", toy().trainer)).close();
  });

  test.each([
    [{ save: { kind: "steps", every: 0 } } as const, /"steps" has the number 0/],
    [{ keep: [{ kind: "latest", count: -1 }] } as const, /latest/],
    [{ budget: 0 }, /budget is 0/],
  ])("with the policy %j is refused", async (policy, said) => {
    await expect(pageOf().store.open("toy", toy().trainer, { policy })).rejects.toThrow(said);
  });

  test("a state that is read from the store has the digest that was told", async () => {
    const { store } = pageOf();
    const run = await store.open("toy", toy().trainer);
    await run.stepped({ loss: 1 });
    const { digest, step } = await run.save({ val_loss: 0.5 });
    const state = await store.state(run.id, step);
    expect(await digestOf(state)).toBe(digest);
    expect((await store.detail(run.id)).checkpointList.at(-1)?.metrics).toEqual({ loss: 1, val_loss: 0.5 });
  });

  test("goes on elsewhere from a bundle", async () => {
    const { page, run } = await abandoned(25);
    await run.close();
    const there = pageOf();
    const [imported] = await there.store.import((await page.store.export(run.id)).file);
    expect(imported).toMatchObject({ how: "new" });
    const again = toy(100);
    const resumed = await there.store.open("toy", again.trainer);
    while (resumed.step < 40) await resumed.stepped({ loss: again.update(resumed.step), samples: 4 });
    expect((await resumed.finish()).digest).toBe(await undisturbed(40));
  });
});
