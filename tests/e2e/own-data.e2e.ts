/** A table of one's own, as a person trains on it: corrected, paused, gone back in, forked, compared, and carried elsewhere. */
import { detail, waitFor } from "../support/app-page";
import { expect, expectNone, test, watchedPage } from "../support/browser";
import { button, expectStatus, goOnElsewhere, PATIENTLY, runOnScreen, screen } from "../support/person";

/** How long a stem of a kind is hangs on soil and water; the plot and a line that was cut off say nothing. */
function stems(): string {
  const lines = Array.from({ length: 60 }, (_, i) => {
    const soil = ["clay", "loam", "sand"][i % 3] ?? "";
    const water = (i * 37) % 50;
    const stem = 10 + 4 * (i % 3) + water / 5 + ((i * 7) % 3) / 10;
    return `${1 + (i % 4)};${soil};${i % 20 === 7 ? "NA" : water};${stem.toFixed(1).replace(".", ",")}`;
  });
  return ["plot;soil;water;stem", ...lines, "5;sand"].join("\r\n");
}

test("texts of one's own, as byte pairs: looked at, learnt, gone back in and written on", async ({
  live,
  app,
}) => {
  const { page, faults } = await watchedPage(live, app.url);
  const main = screen(page);
  await page.getByRole("navigation", { name: "Holdfast" }).getByRole("link", { name: "New run" }).click();
  await main.getByRole("radio", { name: /^Text/ }).check();
  await main.getByRole("radio", { name: "Tiny" }).check();
  const files = ["The seal swims. ", "The gull flies. "].map((sentence, i) => ({
    name: `${i + 1}.txt`,
    mimeType: "text/plain",
    buffer: Buffer.from(sentence.repeat(60)),
  }));
  await button(page, /^Text files.*zipped$/).setInputFiles([
    ...files,
    { name: "3.txt", mimeType: "text/plain", buffer: Buffer.from([0xff, 0xfe, 0x41]) },
  ]);
  await expect(main.getByText("2 files, one after the other with an empty line between.")).toBeVisible(
    PATIENTLY,
  );
  await expect(main.getByText("“3.txt” is left out: it is no text in UTF-8 (byte 0).")).toBeVisible();
  await main.getByText("Model and data").click();
  await main.getByLabel("Merges").fill("20");
  // What is shown is what these settings make of it.
  await expect(main.getByLabel("Its longest tokens")).toBeVisible(PATIENTLY);
  await main.getByLabel("Steps", { exact: true }).fill("2000");
  await button(page, "Start training").click();
  const run = await runOnScreen(page);
  await waitFor(page, run, { step: 60 });
  await button(page, "Pause").click();
  await expectStatus(page, "paused");
  const { record } = await detail(page, run);
  expect(record.data.preprocessing).toMatchObject({ kind: "byte pairs", characters: 2 * 60 * 16 + 2 });
  expect(String(record.data.preprocessing["vocabulary"])).toContain('"The"');

  await main.getByRole("textbox", { name: "Step" }).fill("33");
  await button(page, "Show").click();
  await expect(main.getByText(/Step 33/).first()).toBeVisible(PATIENTLY);
  await main.getByLabel("It goes on from").fill("The");
  await button(page, "Write").click();
  await expect(main.getByLabel("It writes")).toHaveText(/seal swims|gull flies/, PATIENTLY);
  expectNone(faults);
});

test("from a CSV file to a comparison, and to another browser", async ({ live, app }) => {
  const { page, faults } = await watchedPage(live, app.url);
  const main = screen(page);
  await page.getByRole("navigation", { name: "Holdfast" }).getByRole("link", { name: "New run" }).click();
  await main.getByRole("radio", { name: "Table" }).check();
  // What cannot be read is not trained on, and nothing else in its place.
  await button(page, /^A CSV file/).setInputFiles({
    name: "broken.csv",
    mimeType: "text/csv",
    buffer: Buffer.from("a,b,c\n1\n2\n3\n"),
  });
  await expect(main.getByText(/^Most lines are malformed/)).toBeVisible(PATIENTLY);
  await expect(button(page, "Start training")).toBeDisabled();

  // What cannot be used as it was guessed can be corrected.
  await button(page, /^A CSV file/).setInputFiles({
    name: "two.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(
      ["name,colour", ...Array.from({ length: 30 }, (_, i) => `n${i},c${i % 2}`)].join("\n"),
    ),
  });
  await expect(
    main.getByText(/^Only “colour” can be used, and there is nothing to tell it from/),
  ).toBeVisible(PATIENTLY);
  await expect(button(page, "Start training")).toBeDisabled();
  await expect(main.getByRole("combobox", { name: "name is used as" })).toHaveValue("ignored");

  await button(page, /^A CSV file/).setInputFiles({
    name: "stems.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(stems()),
  });

  await expect(main.getByText("60 rows and 4 columns, separated by semicolons.")).toBeVisible(PATIENTLY);
  await expect(main.getByText("Left out as malformed: line 62 has 2 of 4 cells.")).toBeVisible();
  await expect(main.getByRole("combobox", { name: "Target" })).toHaveValue("stem");
  // What the start would refuse is said when it is chosen, and no longer once it is mended.
  const noNumbers = main.getByText(
    /^The target “soil” holds no numbers; a regression needs numbers that differ/,
  );
  await main.getByRole("combobox", { name: "Target" }).selectOption("soil");
  await main.getByRole("combobox", { name: "Problem" }).selectOption("regression");
  await expect(noNumbers).toBeVisible(PATIENTLY);
  await expect(button(page, "Start training")).toBeDisabled();
  await main.getByRole("combobox", { name: "Target" }).selectOption("stem");
  await expect(noNumbers).toBeHidden(PATIENTLY);
  await expect(button(page, "Start training")).toBeEnabled();
  const plot = main.getByRole("combobox", { name: "plot is used as" });
  await expect(plot).toHaveValue("number");
  await plot.selectOption("category");
  await main.getByRole("radio", { name: "Tiny" }).check();
  await expect(plot).toHaveValue("category");
  await main.getByLabel("Steps", { exact: true }).fill("4000");
  await main.getByLabel("Seed", { exact: true }).fill("7");
  await main.getByLabel("Save", { exact: true }).selectOption("steps");
  await main.getByLabel("Save every", { exact: true }).fill("20");
  await button(page, "Start training").click();
  const run = await runOnScreen(page);
  await waitFor(page, run, { step: 25 });

  await button(page, "Pause").click();
  await expectStatus(page, "paused");
  const { record } = await detail(page, run);
  expect(record.data.preprocessing).toMatchObject({
    rows: 60,
    target: "stem",
    problem: "regression",
    columns: "plot, soil, water",
    inputs: 4 + 3 + 2,
  });
  await expect(main.getByRole("img", { name: /^stem, true and predicted at step/ })).toBeVisible(PATIENTLY);
  await expect(main.getByRole("list", { name: /^What the prediction hangs on/ })).toContainText("water");

  // A row of one's own is asked by as the table has it: with a comma, and without what is missing.
  const ask = main.getByRole("region", { name: /^Try it/ });
  await ask.getByLabel("soil").selectOption("sand");
  await ask.getByLabel("water").fill("12,5");
  await ask.getByRole("button", { name: "Predict" }).click();
  const said = ask.getByRole("group", { name: /^stem, as predicted at step/ });
  await expect(said).toContainText(/\d on average/, PATIENTLY);
  const first = await said.innerText();
  await ask.getByLabel("water").fill("");
  await ask.getByLabel("soil").selectOption("clay");
  await expect(said).not.toHaveText(first, PATIENTLY);
  await ask.getByLabel("water").fill("wet");
  await ask.getByRole("button", { name: "Predict" }).click();
  await expect(ask.getByText(/^“water” is a number, and “wet” is none/)).toBeVisible(PATIENTLY);

  await main.getByRole("textbox", { name: "Step" }).fill("13");
  await button(page, "Show").click();
  await button(page, "Look at this step").click();
  await expect(main.getByText("step 0: 13 steps, every loss the same, bit for bit")).toBeVisible(PATIENTLY);
  await button(page, "Fork from here").click();
  await main.getByRole("textbox", { name: "Dropout" }).fill("0.3");
  await button(page, "Start the fork").click();
  await expect(main.getByText("forked from")).toBeVisible(PATIENTLY);
  const fork = await runOnScreen(page);
  await waitFor(page, fork, { step: 22 });
  await button(page, "Pause").click();
  await expectStatus(page, "paused");
  expect((await detail(page, fork)).parent).toEqual({ run, step: 13 });

  await page.goto(`${app.url}#/compare?a=${run}@20&b=${fork}@20`);
  await expect(main.getByRole("heading", { name: "Compare" })).toBeVisible();
  await expect(
    main
      .getByRole("region", { name: /^Change by tensor/ })
      .getByRole("rowheader")
      .first(),
  ).toBeVisible(PATIENTLY);

  await page.goto(`${app.url}#/run/${run}`);
  await goOnElsewhere(page, app.url);
  expectNone(faults);
});
