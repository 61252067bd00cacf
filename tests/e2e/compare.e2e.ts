/** States of several runs side by side: what differs, the loss on the line between them, and all of it in the address. */
import { readFile } from "node:fs/promises";
import { openApp, start, waitFor } from "../support/app-page";
import { expect, expectNone, test, watchFaults } from "../support/browser";
import { button, downloaded, PATIENTLY, screen } from "../support/person";

const STEPS = 30;
const POINTS = 25;

test("three states of two runs, one of them not saved; the line, a reload, and the tables", async ({
  live,
  app,
}) => {
  const faults = await watchFaults(live.context);
  const { page } = live;
  await openApp(page, app.url);
  const runs: string[] = [];
  for (const seed of [7, 8]) {
    const policy = { save: { kind: "steps", every: 10 }, draw: false, evaluate: 10 } as const;
    const run = await start(page, { task: "spirals", preset: "tiny", seed, steps: STEPS, policy });
    await waitFor(page, run, { status: "finished" });
    runs.push(run);
  }
  const [first = "", second = ""] = runs;
  const main = screen(page);

  await page.evaluate(([a, b]) => (location.hash = `#/compare?a=${a}@10&b=${a}@30&c=${b}@17`), [
    first,
    second,
  ] as const);
  const differs = main.getByRole("region", { name: /^What differs/ });
  await expect(differs.getByRole("row", { name: /^Seed 7 7 8$/ })).toBeVisible(PATIENTLY);
  await expect(main.getByText("3 states of 2 runs")).toBeVisible();
  const tensors = main.getByRole("region", { name: /^Change by tensor/ });
  await expect(tensors.getByRole("columnheader", { name: /^change C/ })).toBeVisible();
  for (const step of [10, 30, 17]) {
    await expect(main.getByRole("region", { name: `Picture at step ${step}` }).getByRole("img")).toBeVisible(
      PATIENTLY,
    );
  }

  // By any column, either way.
  const names = tensors.getByRole("rowheader");
  await tensors.getByRole("button", { name: "norm A" }).click();
  const descending = await names.allInnerTexts();
  await tensors.getByRole("button", { name: /^norm A/ }).click();
  expect((await names.allInnerTexts()).toReversed()).toEqual(descending);

  const line = main.getByRole("region", { name: /^Loss on the line/ });
  await line.getByRole("combobox", { name: "to" }).selectOption("C: 17");
  await line.getByRole("button", { name: "Compute" }).click();
  const chart = line.getByRole("img", { name: "Held-out loss on the line from A to C" });
  await expect(chart).toBeVisible(PATIENTLY);
  expect(new URL(page.url()).hash).toBe(`#/compare?a=${first}@10&b=${first}@30&c=${second}@17&line=ac`);
  const metric = main.getByRole("combobox", { name: "Metric of the curves" });
  await metric.selectOption("val_accuracy");
  await page.reload();
  await expect(chart).toBeVisible(PATIENTLY);
  await expect(metric).toHaveValue("val_accuracy");
  await expect(main.getByText("3 states of 2 runs")).toBeVisible();

  const table = await downloaded(page, () => tensors.getByRole("button", { name: "CSV" }).click());
  const rows = (await readFile(await table.path(), "utf8")).trimEnd().split("\r\n");
  const { expected, sum } = await page.evaluate(
    async ([a, b]) => {
      const at = { run: a, step: 10 };
      const comparison = await holdfast.compare(at, { run: a, step: 30 }, { run: b, step: 17 });
      const w = (await holdfast.state(b, 17)).get("param/output/weight")!.data;
      return {
        expected: comparison.tensors.find(({ name }) => name === "param/output/weight")!,
        sum: Array.from(w, (value) => value * value).reduce((x, y) => x + y, 0),
      };
    },
    [first, second] as const,
  );
  const change = expected.sides.map((side) => side!);
  // The number in the file is the one of the definition, over the state that the console gives.
  expect(change[2]!.norm).toBe(Math.sqrt(sum));
  expect(rows.find((row) => row.startsWith("param/output/weight,"))).toBe(
    [
      "param/output/weight",
      expected.shape.join("x"),
      ...[change[1]!.relative, change[2]!.relative, change[1]!.cosine, change[2]!.cosine],
      ...change.map(({ norm }) => norm),
    ].join(","),
  );

  // As many are right as the held-out accuracy says, and those that flipped make up for what it changed by.
  const told = await page.evaluate(async (run) => {
    const [a, b] = [await holdfast.answers(run, 10), await holdfast.answers(run, 30)];
    const rightOf = (one: typeof a) => one!.given.filter((given, i) => given === one!.right[i]).length;
    const accuracy = (await holdfast.evaluate(run, 30))["val_accuracy"]!;
    return { right: [rightOf(a), rightOf(b)], examples: b!.examples.length, accuracy };
  }, first);
  expect(told.right[1]! / told.examples).toBe(told.accuracy);
  const flips = main.getByRole("region", { name: /^Answers that flipped/ });
  const [, better = "", worse = ""] = /; (\d+) better, (\d+) worse/.exec(await flips.innerText()) ?? [];
  expect(Number(better) - Number(worse)).toBe(told.right[1]! - told.right[0]!);
  await flips.getByRole("combobox").selectOption("C: 17");
  await expect(flips.getByText("hold out other examples")).toBeVisible();

  await button(page, "Remove C").click();
  await expect(main.getByText("2 states of one run")).toBeVisible(PATIENTLY);
  expectNone(faults);
});

test("the line ends in the losses of its ends, while a run trains; it is ended, and refused with its reason", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  const policy = { save: { kind: "steps", every: 10 }, draw: false } as const;
  const first = await start(page, { task: "spirals", preset: "tiny", seed: 7, steps: STEPS, policy });
  await waitFor(page, first, { status: "finished" });
  const wide = { layers: 1, width: 5 };
  const other = await start(page, {
    ...{ task: "spirals", preset: "tiny", seed: 7, config: wide, steps: 100_000, policy },
  });
  await waitFor(page, other, { step: 2 });

  const result = await page.evaluate(async (run) => {
    const [from, to] = [12, 30].map((step) => ({ run, step })) as [
      { run: string; step: number },
      { run: string; step: number },
    ];
    const told: number[] = [];
    const { points } = await holdfast.interpolate(from, to, { progress: (done) => told.push(done) });
    const { sides } = await holdfast.compare(from, to);
    return { points, told, metrics: sides.map(({ metrics }) => metrics) };
  }, first);
  const lossAt = (alpha: number) => result.points.find((point) => point.alpha === alpha)?.metrics["val_loss"];
  expect(result.points).toHaveLength(POINTS);
  expect(result.told.at(-1)).toBe(POINTS);
  // Step 12 was not saved, so its metrics were computed for the comparison.
  expect(lossAt(0)).toBe(result.metrics[0]?.["val_loss"]);
  expect(lossAt(0.5)).not.toBe(lossAt(0));

  const refused = await page.evaluate(
    async ([a, b]) => {
      const ends = [{ run: a, step: 10 } as const, { run: b, step: 0 } as const] as const;
      return holdfast.interpolate(...ends).catch((error: unknown) => (error as Error).message);
    },
    [first, other] as const,
  );
  expect(refused).toMatch(/hidden0\/weight is \[2, \d+\] and \[2, 5\]/);

  const ended = await page.evaluate(async (run) => {
    const ending = new AbortController();
    const progress = (done: number) => {
      if (done > 0) ending.abort();
    };
    const options = { signal: ending.signal, progress };
    return holdfast
      .interpolate({ run, step: 10 }, { run, step: 20 }, options)
      .catch((error: unknown) => (error as { code: string }).code);
  }, first);
  expect(ended).toBe("cancelled");

  // It trained all the while, and goes on.
  const { step, status } = (await page.evaluate(
    (run) => holdfast.runs().then((all) => all.find(({ id }) => id === run)),
    other,
  ))!;
  expect(status).toBe("running");
  await waitFor(page, other, { step: step + 2 });
});

test("the same beginning through two states of a text is what each of them writes by itself", async ({
  live,
  app,
}) => {
  const { page } = live;
  await openApp(page, app.url);
  const policy = { save: { kind: "steps", every: 4 }, draw: false } as const;
  const run = await start(page, { task: "text", preset: "tiny", seed: 1, steps: 8, policy });
  await waitFor(page, run, { status: "finished" });
  // Step 3 was not saved.
  await page.evaluate((id) => (location.hash = `#/compare?a=${id}@3&b=${id}@8`), run);
  const each = screen(page).getByRole("region", { name: /^The same beginning/ });
  await each.getByLabel("It goes on from").fill("the ");
  await each.getByLabel(/^Top-k/).fill("5");
  await each.getByRole("button", { name: "Write" }).click();
  const textOf = (letter: string) =>
    each.getByRole("group", { name: `What ${letter} makes of it` }).getByLabel("It writes");
  const shown = [await textOf("A").innerText(PATIENTLY), await textOf("B").innerText(PATIENTLY)];
  const told = await page.evaluate(async (id) => {
    const rest = { prompt: "the ", temperature: 0.8, topK: 5, characters: 200, seed: 1 };
    const question = { kind: "text" as const, ...rest };
    const pictures = [await holdfast.ask(id, question, 3), await holdfast.ask(id, question, 8)];
    return pictures.map(({ step, panels: [panel] }) => [step, panel?.kind === "text" ? panel.text : ""]);
  }, run);
  expect(told).toEqual([
    [3, shown[0]],
    [8, shown[1]],
  ]);
  expect(shown[0]).not.toBe(shown[1]);
});

test("of a table, the answers that flipped, and the amounts that moved most", async ({ live, app }) => {
  const { page } = live;
  await openApp(page, app.url);
  const policy = { save: { kind: "steps", every: 10 }, draw: false } as const;
  const runs: string[] = [];
  for (const target of ["species", "weight_g"]) {
    const run = await start(page, {
      ...{ task: "table", preset: "tiny", seed: 1, config: { target }, steps: STEPS, policy },
    });
    await waitFor(page, run, { status: "finished" });
    runs.push(run);
  }
  const main = screen(page);
  const [classes = "", amounts = ""] = runs;
  await page.evaluate((id) => (location.hash = `#/compare?a=${id}@0&b=${id}@30`), classes);
  const flips = main.getByRole("region", { name: /^Answers that flipped/ });
  await expect(flips.getByRole("rowheader").first()).toHaveText(/^row \d+: ring \S+, site /, PATIENTLY);

  await page.evaluate((id) => (location.hash = `#/compare?a=${id}@10&b=${id}@27`), amounts);
  const moved = main.getByRole("region", { name: /^Predictions that moved most/ });
  await expect(moved.getByRole("rowheader").first()).toBeVisible(PATIENTLY);
  const most = await page.evaluate(async (id) => {
    const [a, b] = [await holdfast.answers(id, 10), await holdfast.answers(id, 27)];
    const far = Array.from(a!.given, (from, i) => Math.abs(b!.given[i]! - from));
    return b!.examples[far.indexOf(Math.max(...far))];
  }, amounts);
  await expect(moved.getByRole("rowheader").first()).toHaveText(most ?? "");

  // Of one task, but not of one column: no row has one right answer.
  await page.evaluate(([a, b]) => (location.hash = `#/compare?a=${a}@30&b=${b}@30`), [
    classes,
    amounts,
  ] as const);
  await expect(main.getByText("or learn something else of them")).toBeVisible(PATIENTLY);
});
