/** Runs of a foreign trainer: what is kept, what is refused, and what is said. */
import { afterEach, beforeEach, expect, suite, test, vi } from "vitest";
import {
  arrays,
  digestOf,
  HoldfastError,
  POLICIES,
  type ExportOptions,
  type OpenOptions,
  type Run,
  type Step,
  type Trainer,
} from "../../src/index";
import { openBundle } from "../../src/bundles";
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

  test("goes on after a change of its code, once it is told of it", async () => {
    const page = pageOf();
    const { trainer, update } = toy();
    const run = await page.store.open("toy", trainer, { policy: { save: { kind: "never" } } });
    while (run.step < 64) await run.stepped({ loss: update(run.step) });
    await page.service.idle();
    await page.service.letGo(run.id);
    const first = await page.store.open("toy", toy().trainer);
    await expect(first.stepped({ loss: 0.5 })).rejects.toThrow(
      /open the run with \{ inexact: \["The code changed/,
    );
    await first.close();
    const second = await page.store.open("toy", toy().trainer, { inexact: ["The code changed."] });
    while (second.step < 70) await second.stepped({ loss: 0.5 });
    expect((await second.finish()).step).toBe(70);
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

suite("what a compiler would not let through", () => {
  const NO_STEPS: [string, unknown, RegExp][] = [
    ["a number", 0.5, /^The step is not an object\. It takes \{ loss, rate, samples, mayEndHere \}/],
    ["a misspelt name", { los: 0.4 }, /a field "los" that is not known\. It takes \{ loss,/],
    [
      "a name of another object",
      { loss: undefined },
      /The step\.loss is undefined, no number and no promise/,
    ],
    ["a loss as text", { loss: "0.4" }, /The step\.loss is the text "0\.4", no number/],
    ["a loss in an array", { loss: Float32Array.of(1) }, /The step\.loss is a Float32Array, no number/],
    ["samples as text", { loss: 1, samples: "32" }, /The step\.samples is not a whole number/],
    ["half a sample", { loss: 1, samples: 1.5 }, /The step\.samples is not a whole number/],
    ["fewer than no samples", { loss: 1, samples: -1 }, /The step\.samples is not a whole number/],
    ["a rate that is no number", { loss: 1, rate: Number.NaN }, /The step\.rate is not a finite number/],
    ["a word for true", { loss: 1, mayEndHere: "no" }, /The step\.mayEndHere is not true or false/],
  ];

  test.each(NO_STEPS)("is no step, and changes nothing: %s", async (_what, step, said) => {
    const { store } = pageOf();
    const run = await store.open("toy", toy().trainer);
    const refused = run.stepped(step as Step);
    await expect(refused).rejects.toThrow(said);
    expect(await codeOf(refused)).toBe("invalid");
    expect([run.step, run.samples]).toEqual([0, 0]);
    // What is undefined is left out.
    await run.stepped({ loss: 1, rate: undefined, samples: 32 } as unknown as Step);
    expect((await run.finish()).step).toBe(1);
    expect(run.samples).toBe(32);
  });

  test.each([
    [{ acc: Number.NaN }, /metrics\.acc is not a finite number\. Metrics are finite numbers by name/],
    [{ acc: "0.5" }, /metrics\.acc is not a finite number/],
    [0.5, /metrics is not an object/],
    [[0.5], /metrics is not an object/],
  ])("is no metric: %j", async (metrics, said) => {
    const { store } = pageOf();
    const run = await store.open("toy", toy().trainer, { policy: EVERY_10 });
    const save = run.save(metrics as unknown as Record<string, number>);
    await expect(save).rejects.toThrow(said);
    expect(await codeOf(save)).toBe("invalid");
    expect(() => run.saveIfDue(metrics as unknown as Record<string, number>)).toThrow(said);
    expect((await run.save({ acc: 0.5 })).metrics).toMatchObject({ acc: 0.5 });
  });
});

suite("data", () => {
  const numbers = Float32Array.of(1, 2, 3);
  const bytes = new Uint8Array(numbers.buffer);

  test.each([
    ["an array of numbers", numbers],
    ["a buffer", numbers.buffer],
    ["a view of a part", new DataView(Uint8Array.of(9, ...bytes, 9).buffer, 1, bytes.length)],
  ])("of %s is kept as its bytes", async (_what, given) => {
    const { store } = pageOf();
    const run = await store.open("toy", toy().trainer, { data: { bytes: given, name: "x" } });
    expect([...(await store.data(run.id))]).toEqual([...bytes]);
    expect((await store.detail(run.id)).record.data).toMatchObject({ bytes: 12, name: "x" });
    await run.close();
    await (await store.open("toy", toy().trainer, { data: { bytes, name: "x" } })).close();
  });

  test.each([
    [bytes, /^options\.data is a Uint8Array without a name\. It takes \{ bytes, name \}/],
    [new Blob(["x"]), /data is a Blob without a name\. .*blob\.arrayBuffer/],
    [{ bytes: new Blob(["x"]), name: "x" }, /data\.bytes is a Blob, no ArrayBuffer/],
    [{ bytes: [1, 2], name: "x" }, /data\.bytes is an Array, no ArrayBuffer/],
    [{ bytes }, /data\.name is missing/],
    [null, /data is not an object/],
  ])("that cannot be kept is refused, and leaves the name free: %#", async (wrong, said) => {
    const { store } = pageOf();
    const data = wrong as unknown as { readonly bytes: ArrayBuffer; readonly name: string };
    const opening = store.open("toy", toy().trainer, { data });
    await expect(opening).rejects.toThrow(said);
    expect(await codeOf(opening)).toBe("invalid");
    expect(await store.runs()).toEqual([]);
    await (await store.open("toy", toy().trainer, { data: { bytes, name: "x" } })).close();
  });
});

test("a run that was removed can be brought back, until the trash is emptied", async () => {
  const { store } = pageOf();
  const run = await store.open("toy", toy().trainer);
  await run.close();
  await store.remove(run.id);
  expect(await store.runs()).toEqual([]);
  expect(await store.trash()).toMatchObject([{ id: run.id, name: "toy" }]);
  await store.undoRemove(run.id);
  expect(await store.trash()).toEqual([]);
  expect(await store.runs()).toMatchObject([{ id: run.id }]);
  await store.remove(run.id);
  await store.emptyTrash(run.id);
  expect(await codeOf(store.undoRemove(run.id))).toBe("missing");
  expect(await codeOf(store.emptyTrash(7 as unknown as string))).toBe("invalid");
});

suite("what is no run, trainer or option", () => {
  const name = "toy";
  const { trainer } = toy();
  const w = Float32Array.of(1, 2);
  const tensor = { name: "param/w", dtype: "float32", shape: [2], values: w.slice() };
  const reading = (contents: unknown) => ({ read: () => contents, restore: () => undefined });

  test.each<[readonly unknown[], RegExp]>([
    [["", trainer], /The name is empty\. A run has a name/],
    [[undefined, trainer], /The name is not a text/],
    [[name], /The trainer is undefined\. A trainer is what `arrays`, /],
    [[name, { w }], /The trainer has no function "read"/],
    [[name, { read: trainer.read }], /The trainer has no function "restore"/],
    [[name, { ...trainer, inexact: "the code changed" }], /The trainer\.inexact is not a list/],
    [[name, trainer, null], /^options is not an object\. It takes \{ seed, settings, data,/],
    [[name, trainer, { sed: 7 }], /has a field "sed" that is not known\. It takes \{ seed,/],
    [[name, trainer, { seed: 0.5 }], /options\.seed is not a whole number/],
    [
      [name, trainer, { settings: { x: undefined } }],
      /options\.settings\.x is not a finite number\. Settings/,
    ],
    [[name, trainer, { settings: { x: Number.NaN } }], /options\.settings\.x is not a finite number/],
    [[name, trainer, { settings: { x: () => 1 } }], /options\.settings\.x is not a finite number/],
    [[name, trainer, { saved: "log" }], /options\.saved is the text "log", no function/],
    [
      [name, trainer, { policy: "lean" }],
      /options\.policy is not an object\. It takes \{ save, keep, budget \}/,
    ],
    [
      [name, trainer, { policy: { save: { kind: "hourly" } } }],
      /policy\.save\.kind is none of never, steps, .*POLICIES/,
    ],
    [
      [name, trainer, { policy: { keep: [{ kind: "all" }] } }],
      /policy\.keep\[0\]\.kind is none of latest, best/,
    ],
    [[name, trainer, { policy: { save: { kind: "epochs", every: 1 } } }], /Epochs are the loop's own/],
    [[name, trainer, { policy: { every: 10 } }], /a field "every" that is not known/],
    [[name, reading([w])], /The trainer's read\.tensors is not a list\. It gives \{ tensors: /],
    [[name, reading({ tensors: [w] })], /read\.tensors\[0\]\.name is not a text/],
    [
      [name, reading({ tensors: [{ ...tensor, dtype: "float64" }] })],
      /tensors\[0\]\.dtype is none of float32/,
    ],
    [
      [name, reading({ tensors: [{ ...tensor, values: [1, 2] }] })],
      /tensors\[0\]\.values is an Array, no typed/,
    ],
    [[name, reading({ tensors: [{ ...tensor, shape: [3] }] })], /"param\/w" has 2 values; its shape \[3\]/],
    [
      [name, reading({ tensors: [tensor], counters: { t: "1" } })],
      /read\.counters\.t is not a finite number/,
    ],
  ])("is refused before anything is written: %#", async (given, said) => {
    const { store } = pageOf();
    const opening = (store.open as (...values: unknown[]) => Promise<Run>).apply(store, [...given]);
    await expect(opening).rejects.toThrow(said);
    expect(await codeOf(opening)).toBe("invalid");
    expect(await store.runs()).toEqual([]);
  });

  test("is refused where a run is asked for", async () => {
    const { store } = pageOf();
    const run = await store.open(name, trainer);
    const nothing = undefined as unknown as string;
    for (const refused of [
      store.detail(nothing),
      store.state(nothing, 0),
      store.state(run.id, Number.NaN),
      store.losses(nothing),
      store.data(nothing),
      store.rename(nothing, "x"),
      store.rename(run.id, ""),
      store.pin(run.id, 0.5),
      store.remove(nothing),
      store.export(nothing),
      store.import(Buffer.of(1) as unknown as Blob),
      openBundle(Buffer.of(1) as unknown as Blob),
    ])
      expect(await codeOf(refused)).toBe("invalid");
    await expect(store.detail(nothing)).rejects.toThrow(/The run is not a text\. .*as `run\.id`/);
    await expect(store.pin(run.id, 5)).rejects.toMatchObject({
      code: "missing",
      message: '"toy" has no checkpoint of step 5 to pin. Save one there.',
    });
    await store.pin(run.id, 0);
    expect(() => arrays(nothing as unknown as Record<string, Float32Array>)).toThrow(HoldfastError);
  });

  test("arrays that are given a second time have been transferred away, which is said", async () => {
    const { store } = pageOf();
    const live = Float32Array.of(1, 2);
    const run = await store.open(name, reading({ tensors: [{ ...tensor, values: live }] }) as Trainer);
    // What a worker on the other side does to it.
    structuredClone(live, { transfer: [live.buffer] });
    await run.stepped({ loss: 1 });
    await expect(run.save()).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(
        /"param\/w" has no values: `read` gave an array .* Give a copy/,
      ) as string,
    });
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

  test("with options that are undefined is as without them", async () => {
    const bare = await pageOf().store.open("toy", toy().trainer, { seed: 7 });
    const { store } = pageOf();
    const nothing = {
      settings: undefined,
      data: undefined,
      optimizer: undefined,
      steps: undefined,
      task: undefined,
    };
    const policy = { save: undefined, keep: undefined, budget: undefined };
    const options = {
      ...nothing,
      seed: 7,
      policy,
      takeOver: undefined,
      saved: undefined,
      trouble: undefined,
    };
    const run = await store.open("toy", toy().trainer, options as unknown as OpenOptions);
    expect(run.settings).toEqual(bare.settings);
    const { record } = await store.detail(run.id);
    expect(record.policy).toEqual({ ...POLICIES.steady, draw: false });
    expect(record).toMatchObject({ task: "library", steps: 0, data: { bytes: 0, name: "" } });
    const step = { rate: undefined, samples: undefined, mayEndHere: undefined };
    await run.stepped(step as unknown as Step);
    expect([run.step, run.samples]).toEqual([1, 0]);
    await run.close();
    const unasked = { ...options, seed: undefined, policy: undefined };
    await (await store.open("toy", toy().trainer, unasked as unknown as OpenOptions)).close();
    const exported = {
      steps: undefined,
      compact: undefined,
      data: undefined,
      to: undefined,
      signal: undefined,
    };
    expect((await store.export(run.id, exported as unknown as ExportOptions)).leftOut).toEqual([]);
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
