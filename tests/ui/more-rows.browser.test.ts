/** Long lists: what is not asked for is not made, and all of it can be reached. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import App from "../../src/ui/App.svelte";
import type { RunInfo } from "../../src/worker/protocol";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

const RUNS = 230;
const main = page.getByRole("main");
const more = main.getByRole("button", { name: /^Show \d+ more/ });
const names = () =>
  main
    .getByRole("rowheader")
    .elements()
    .map(({ textContent }) => textContent.trim());

class ManyRuns extends FakeHoldfast {
  override async runs(): Promise<readonly RunInfo[]> {
    const [like] = await super.runs();
    return Array.from({ length: RUNS }, (_, at) => ({
      ...like!,
      id: `r${at}`,
      name: `Run ${at}`,
      created: -at,
    }));
  }
}

let app: ReturnType<typeof mount>;

beforeEach(async () => {
  await page.viewport(1440, 900);
  location.hash = "#/";
  app = mount(App, { target: document.body, props: { api: new ManyRuns("full", { ticking: false }) } });
  await expect.element(more).toBeVisible();
});

afterEach(async () => {
  await unmount(app);
  location.hash = "";
});

test("the newest hundred stand there, and the rest comes as it is asked for", async () => {
  expect(names()).toHaveLength(100);
  expect(names()[0]).toContain("Run 0");
  await expect.element(more).toHaveTextContent("Show 100 more of 230");
  await userEvent.click(more);
  expect(names()).toHaveLength(200);
  await expect.element(more).toHaveTextContent("Show 30 more of 230");
  await expect.element(more).toHaveFocus();
});

test("with the last of them the focus goes to the line that says so", async () => {
  await userEvent.click(more);
  await userEvent.keyboard("{Enter}");
  const end = main.getByText("That is all of them: 230.");
  await expect.element(end).toHaveFocus();
  expect(more.query()).toBeNull();
  expect(names().at(-1)).toContain("Run 229");
});

test("a filter finds what is not shown yet, and keeps the focus when the rest is again too long", async () => {
  await userEvent.click(more);
  await userEvent.click(more);
  const filter = main.getByRole("searchbox");
  await userEvent.fill(filter, "run 229");
  await expect.poll(names).toHaveLength(1);
  await expect.element(main.getByText("That is all of them")).not.toBeInTheDocument();
  await userEvent.fill(filter, "");
  await expect.poll(names).toHaveLength(RUNS);
  await expect.element(filter).toHaveFocus();
});
