/** The tables behind charts, over made-up runs. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import App from "../../src/ui/App.svelte";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

const main = page.getByRole("main");

let app: ReturnType<typeof mount>;

beforeEach(async () => {
  await page.viewport(1440, 900);
});

afterEach(async () => {
  await unmount(app);
  location.hash = "";
});

test.each([
  [
    "#/run/spiralsdropout",
    ["Numbers of the loss by step", "Checkpoints of this run", "Numbers of the boundary at step 820"],
  ],
  ["#/run/shakespeare", ["Numbers of the loss by step", "Numbers of Held-out text at step 3,000"]],
  [
    "#/compare?a=shakespeare@400&b=shakespeare@1200&line=ab&tensor=param%2Fhead%2Fweight",
    [
      "Numbers of the curves",
      "Numbers of the histogram of values",
      "Numbers of the heat map of head / weight of A",
      "Numbers of the loss on the line",
    ],
  ],
  ["#/health", ["Numbers of how long saves took"]],
] as const)("%s has its numbers as tables", async (hash, charts) => {
  location.hash = hash;
  app = mount(App, { target: document.body, props: { api: new FakeHoldfast("full", { ticking: false }) } });
  for (const name of charts) {
    await userEvent.click(main.getByText(name).first());
    const table = main.getByRole("group", { name }).first();
    await expect.element(table).toBeVisible();
    expect(table.getByRole("row").elements().length, name).toBeGreaterThan(1);
    expect(table.element().textContent).not.toContain("NaN");
  }
});
