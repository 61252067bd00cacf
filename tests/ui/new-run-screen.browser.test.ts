/** The form of a new run, over made-up runs: what it offers goes with the task and the data that are chosen. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import App from "../../src/ui/App.svelte";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

let app: ReturnType<typeof mount>;
const main = page.getByRole("main");

beforeEach(async () => {
  await page.viewport(1100, 1000);
  location.hash = "#/new";
  app = mount(App, { target: document.body, props: { api: new FakeHoldfast("empty") } });
});
afterEach(async () => {
  await unmount(app);
  location.hash = "";
});

test("how a text of one's own is read is chosen beside it", async () => {
  await userEvent.click(main.getByRole("radio", { name: /^Text/ }));
  const data = main.getByRole("region", { name: "Your data" });
  await expect.element(main.getByLabelText("Merges")).not.toBeVisible();
  await userEvent.upload(main.getByRole("button", { name: /zipped$/ }), new File(["a text"], "mine.txt"));
  await expect.element(data.getByRole("textbox", { name: "Merges" })).toBeVisible();
  await expect.element(data).toHaveTextContent("200 to 1,000 are usual for a text of 100 kB or more");
  await userEvent.click(main.getByText("Model and data"));
  await expect.element(main.getByLabelText("Context")).toBeVisible();
  expect(main.getByLabelText("Length of the made-up text").query()).toBeNull();
  expect(main.getByLabelText("Merges").elements()).toHaveLength(1);
});

test("weights to start from are those that the chosen task can begin with", async () => {
  await userEvent.click(main.getByText("Start from weights"));
  const weights = main.getByRole("group").filter({ hasText: "Start from weights" });
  await expect.element(weights.getByText(/a LayersModel of TensorFlow\.js/)).toBeVisible();
  await userEvent.click(main.getByRole("radio", { name: /^Table/ }));
  await expect.element(weights.getByText(/file with every parameter/)).toBeVisible();
  await expect.element(weights).not.toHaveTextContent(/LayersModel|Spirals/);
});

test("made-up data that cannot be trained on is told in the form, and the run not started", async () => {
  await userEvent.click(main.getByRole("radio", { name: /^Digits/ }));
  await userEvent.click(main.getByText("Model and data"));
  await userEvent.fill(main.getByLabelText("Digits drawn"), "50");
  const start = main.getByRole("button", { name: "Start training" });
  await expect.element(start).toBeEnabled();
  await userEvent.fill(main.getByRole("textbox", { name: "Held out" }), "90");
  await expect.element(main.getByText(/^The class “0” is left out of the training/)).toBeVisible();
  await expect.element(start).toBeDisabled();
  await userEvent.fill(main.getByRole("textbox", { name: "Held out" }), "20");
  await expect.element(start).toBeEnabled();
});

test("from what is wrong, named at the bottom, a button leads to it, folded away or far above", async () => {
  const bar = main.getByRole("button", { name: "Show where" });
  const start = main.getByRole("button", { name: "Start training" });
  await expect.element(start).toBeEnabled();
  expect(bar.query()).toBeNull();

  await userEvent.click(main.getByText("Optimizer and schedule"));
  await userEvent.fill(main.getByLabelText("Beta 1"), "much");
  await userEvent.click(main.getByText("Optimizer and schedule"));
  await expect.element(main.getByText(/^“Beta 1” cannot be used\. Not a number/)).toBeVisible();
  await expect.element(start).toBeDisabled();
  await userEvent.click(bar);
  await expect.element(main.getByLabelText("Beta 1")).toBeVisible();
  await expect.element(main.getByLabelText("Beta 1")).toHaveFocus();
  await userEvent.fill(main.getByLabelText("Beta 1"), "0.9");
  await expect.element(start).toBeEnabled();
  expect(bar.query()).toBeNull();

  await userEvent.click(main.getByRole("radio", { name: /^Table/ }));
  await userEvent.upload(main.getByRole("button", { name: /^A CSV file/ }), new File(["a,b"], "mine.csv"));
  const problem = main.getByRole("combobox", { name: "Problem" });
  await userEvent.selectOptions(problem, "regression");
  await expect.element(main.getByText("Your data cannot be trained on as it is set.")).toBeVisible();
  window.scrollTo(0, document.body.scrollHeight);
  await userEvent.click(bar);
  const target = main.getByRole("combobox", { name: "Target" });
  await expect.element(target).toHaveFocus();
  await expect.element(target).toBeInViewport();
  await expect.element(target).toHaveAccessibleDescription(/holds no numbers/);
});

test("a file that cannot be used is replaced where it was chosen", async () => {
  await userEvent.click(main.getByRole("radio", { name: /^Text/ }));
  await userEvent.upload(main.getByRole("button", { name: /zipped$/ }), new File([], "mine.txt"));
  await expect.element(main.getByText(/^Your data cannot be used/)).toBeVisible();
  await userEvent.click(main.getByRole("button", { name: "Show where" }));
  await expect.element(main.getByRole("button", { name: "Choose files" })).toHaveFocus();
});
