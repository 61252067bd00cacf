/** Menus under a real mouse and keyboard, over made-up runs. */
import { flushSync, mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test } from "vitest";
import { page, userEvent, type Locator } from "vitest/browser";
import App from "../../src/ui/App.svelte";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

/** Below what it labels stands in it too, so its middle is no text of it. */
const ON_TEXT = { position: { x: 5, y: 6 } };

let app: ReturnType<typeof mount>;

beforeEach(async () => {
  await page.viewport(1440, 900);
  const api = new FakeHoldfast("full");
  const paused = (await api.runs()).find(({ status }) => status === "paused")!;
  const [checkpoint] = await api.checkpoints(paused.id);
  location.hash = `#/run/${paused.id}?step=${checkpoint!.step}`;
  app = mount(App, { target: document.body, props: { api } });
});

afterEach(async () => {
  await unmount(app);
  location.hash = "";
});

function opener(name: string): Locator {
  return page.getByRole("main").getByRole("button", { name, exact: true }).first();
}

async function open(name: string, from = opener(name)): Promise<Locator> {
  await userEvent.click(from);
  return page.getByRole("group", { name, exact: true }).first();
}

test.each(["Export", "Notes", "Policy", "Learning rate", "More steps"])(
  "%s stays open where its text is clicked, and keeps what was typed",
  async (name) => {
    const panel = await open(name);
    const fields = panel.getByRole("textbox").elements();
    const [field] = fields;
    if (field !== undefined) await userEvent.fill(field, "1");
    for (const text of panel.element().querySelectorAll("label, small, h2, h3")) {
      // What is folded away has no text to click.
      if (!text.checkVisibility()) continue;
      await userEvent.click(text, ON_TEXT);
      flushSync();
      expect(panel.element().contains(text), text.textContent).toBe(true);
    }
    if (field !== undefined) await expect.element(page.elementLocator(field)).toHaveValue("1");
  },
);

test("a click on a label ticks its box", async () => {
  const panel = await open("Export");
  const box = panel.getByRole("checkbox", { name: "Smaller" });
  await userEvent.click(panel.getByText("Smaller, for Holdfast only"));
  await expect.element(box).toBeChecked();
});

test("the menu of a step stays open where its text is clicked", async () => {
  const step = page.getByRole("region", { name: /^Checkpoint at step/ });
  const panel = await open("Export", step.getByRole("button", { name: "Export" }));
  await userEvent.click(panel.getByText("Weights only, as"), ON_TEXT);
  await userEvent.click(panel.getByText("To use the model elsewhere."));
  await expect.element(panel).toBeVisible();
});

test("Escape closes and gives the focus back, also from its text; so does Tab out of it, and a click elsewhere", async () => {
  const panel = await open("Export");
  await userEvent.click(panel.getByText("goes on exactly where it is opened"));
  await userEvent.keyboard("{Escape}");
  await expect.element(panel).not.toBeInTheDocument();
  await expect.element(opener("Export")).toHaveFocus();

  await userEvent.keyboard("{Enter}");
  await expect.element(panel).toBeVisible();
  for (let stop = 0; stop < 12 && panel.query() !== null; stop += 1) await userEvent.tab();
  expect(panel.query()).toBeNull();

  await open("Export");
  await userEvent.click(page.getByRole("heading", { level: 1 }));
  await expect.element(panel).not.toBeInTheDocument();
});
