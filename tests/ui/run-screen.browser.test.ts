/** What the screen of a run says, over made-up runs. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { HoldfastError } from "../../src/errors";
import App from "../../src/ui/App.svelte";
import { LiveRuns } from "../../src/worker/live";
import type { RunInfo } from "../../src/worker/protocol";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

const STEP = 41;
const main = page.getByRole("main");

/** As this page knows a run that it brings back. */
const restoring = new LiveRuns();
restoring.apply({ kind: "phase", run: "shakespeareslower", phase: { kind: "restoring" } }, true);

let app: ReturnType<typeof mount>;
let api: FakeHoldfast;

/** The page over runs of which one was interrupted; that run. */
async function interrupted(): Promise<RunInfo> {
  await unmount(app);
  api = new FakeHoldfast("interrupted");
  const run = (await api.runs()).find(({ status }) => status === "interrupted")!;
  app = mount(App, { target: document.body, props: { api } });
  return run;
}

beforeEach(async () => {
  await page.viewport(1440, 900);
  api = new FakeHoldfast("full");
  const paused = (await api.runs()).find(({ status }) => status === "paused")!;
  location.hash = `#/run/${paused.id}?step=${STEP}`;
  app = mount(App, { target: document.body, props: { api } });
});

afterEach(async () => {
  await unmount(app);
  location.hash = "";
});

test("a step that one went back to is no longer promised", async () => {
  const heading = main.getByRole("heading", { name: /^Step 41/ });
  await expect
    .element(heading)
    .toHaveTextContent("computed again from step 40, and checked, when you go there");
  await userEvent.click(main.getByRole("button", { name: "Look at this step" }));
  await expect.element(heading).toHaveTextContent(/from step 40, and checked$/);
});

test("what is at a step that one went back to comes into view, and both pictures say of which step they are", async () => {
  await page.viewport(1440, 600);
  const look = main.getByRole("button", { name: "Look at this step" });
  await expect.element(main.getByRole("heading", { name: "Decision boundary step 820" })).toBeVisible();
  (look.element() as HTMLElement).scrollIntoView({ block: "end" });
  await userEvent.click(look);
  const visited = main.getByRole("heading", { name: "Decision boundary step 41" });
  await expect.element(visited).toBeInViewport();
  await expect
    .element(main.getByRole("heading", { name: "Decision boundary step 820, as the run is now" }))
    .toBeVisible();
});

test("what stands in the cell of the last save can be read in whole", async () => {
  await expect.element(main.getByTitle(/Stall: training waited .* for this save\.$/)).toBeVisible();
});

test("the last label of the chart's steps has room beside it", async () => {
  const chart = main.getByRole("img", { name: /^Loss by step/ });
  await expect.element(chart).toBeVisible();
  const element = chart.element();
  await vi.waitUntil(() => element.querySelector(".u-over") !== null);
  const room =
    element.getBoundingClientRect().right - element.querySelector(".u-over")!.getBoundingClientRect().right;
  const context = document.createElement("canvas").getContext("2d")!;
  context.font = "11px system-ui, sans-serif";
  expect(room).toBeGreaterThanOrEqual(context.measureText("100,000").width / 2);
});

test("the weights of the newest step leave by the run's own menu", async () => {
  const deploy = vi.spyOn(api, "deploy");
  await userEvent.click(main.getByRole("button", { name: "Export", exact: true }).first());
  await userEvent.click(main.getByText("Weights to use elsewhere"));
  await userEvent.selectOptions(main.getByLabelText("Weights only, as"), "float16");
  await userEvent.click(main.getByRole("button", { name: "Weights (.safetensors)" }));
  await vi.waitUntil(() => deploy.mock.calls.length > 0);
  const [run = "", step, options] = deploy.mock.calls[0] ?? [];
  const newest = (await api.checkpoints(run)).at(-1)!;
  expect([step, options]).toEqual([newest.step, { dtype: "float16", form: "safetensors" }]);
});

test("a file that is not imported is named with the reason", async () => {
  api.importBundle = () => Promise.reject(new HoldfastError("corrupt", "It is a ZIP archive."));
  const clipboard = new DataTransfer();
  clipboard.items.add(new File(["x"], "photos.zip"));
  window.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard }));
  await expect.element(main.getByText("“photos.zip” was not imported. It is a ZIP archive.")).toBeVisible();
});

test("an address with a step that the run has not is told so", async () => {
  location.hash = location.hash.replace(/step=.*/, "step=999999");
  await expect
    .element(main.getByText(/^This run has no step 999,999: its steps are 0 to \d+ now\.$/))
    .toBeVisible();
});

test("the settings of the run are looked up by their names in the form", async () => {
  await userEvent.click(main.getByText("Settings of this run"));
  await expect.element(main.getByText("Learning rate", { exact: true }).last()).toBeVisible();
  await expect.element(main.getByText("AdamW", { exact: true })).toBeVisible();
});

test("the address of a deleted run offers to bring it back", async () => {
  const [deleted] = await api.trash();
  location.hash = `#/run/${deleted!.id}`;
  await userEvent.click(main.getByRole("button", { name: "Bring it back" }));
  await expect.element(main.getByRole("heading", { name: deleted!.name, level: 1 })).toBeVisible();
  expect(await api.trash()).not.toContainEqual(expect.objectContaining({ id: deleted!.id }));
});

test("the trash says when it empties by itself before it is opened", async () => {
  location.hash = "#/";
  await expect.element(main.getByText(/each goes by itself \d days after it was deleted/)).toBeVisible();
});

test("arrows move along the timeline, and say where they are", async () => {
  const timeline = main.getByRole("slider", { name: "Checkpoints on the timeline" });
  await expect.element(timeline).toBeVisible();
  (timeline.element() as HTMLElement).focus();
  await userEvent.keyboard("{Home}");
  await expect.element(timeline).toHaveAttribute("aria-valuetext", "Checkpoint at step 0");
  await expect.element(main.getByRole("region", { name: /^Checkpoint at step 0 / })).toBeVisible();
  await userEvent.keyboard("{ArrowRight}");
  await expect.element(timeline).toHaveAttribute("aria-valuetext", "Checkpoint at step 40");
  await expect.element(timeline).toHaveAttribute("aria-valuenow", "40");
  await expect.element(timeline).toHaveFocus();
});

test("a mark of the timeline is pointed at, named and picked", async () => {
  const timeline = main.getByRole("slider", { name: "Checkpoints on the timeline" });
  await expect.element(timeline).toBeVisible();
  const element = timeline.element() as HTMLElement;
  element.focus();
  await userEvent.keyboard("{Home}{ArrowRight}");
  await expect.element(timeline).toHaveAttribute("aria-valuetext", "Checkpoint at step 40");
  const at = Number(element.querySelector("circle.selected")!.getAttribute("cx"));
  await userEvent.keyboard("{Home}");
  await expect.element(timeline).toHaveAttribute("aria-valuetext", "Checkpoint at step 0");
  const { left, top } = element.getBoundingClientRect();
  const point = (type: string, x: number, y: number) =>
    element.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX: left + x, clientY: top + y }));
  point("pointermove", at, 34);
  await expect.element(timeline).toHaveAttribute("title", "step 40");
  // Among the events above the marks there is nothing to pick.
  point("click", at, 10);
  await expect.element(timeline).toHaveAttribute("aria-valuetext", "Checkpoint at step 0");
  point("click", at + 6, 34);
  await expect.element(timeline).toHaveAttribute("aria-valuetext", "Checkpoint at step 40");
});

test("a fork says what it changed, or that it changed nothing", async () => {
  const detail = api.detail.bind(api);
  location.hash = "#/run/shakespeareslower";
  await expect
    .element(main.getByText(/^forked from Shakespeare at step 600: with the same settings$/))
    .toBeVisible();
  vi.spyOn(api, "detail").mockImplementation(async (id) => {
    const one = await detail(id);
    if (id !== "shakespeareslower") return one;
    return { ...one, record: { ...one.record, seed: 77 } };
  });
  location.hash = "#/";
  await expect.element(main.getByRole("heading", { name: "Runs" })).toBeVisible();
  location.hash = "#/run/shakespeareslower";
  await expect.element(main.getByText(/: seed \d+ → 77$/)).toBeVisible();
});

test("a run that goes on by itself in a moment is resuming, in one word, and can be paused meanwhile", async () => {
  const { id, name } = await interrupted();
  expect(restoring.get(id)).not.toBeNull();
  vi.spyOn(api, "live").mockImplementation((run) => restoring.get(run));
  location.hash = `#/run/${id}`;
  await expect.element(main.getByRole("button", { name: "Pause" })).toBeEnabled();
  await expect.element(main.getByText("resuming", { exact: true })).toBeVisible();
  await expect
    .element(page.getByRole("navigation").getByRole("link", { name: new RegExp(`^${name}.*resuming`) }))
    .toBeVisible();
});

test("one that is looked at while somebody begins to bring it back says so from that moment", async () => {
  const { id } = await interrupted();
  const subscribe = vi.spyOn(api, "subscribe");
  location.hash = `#/run/${id}`;
  await expect.element(main.getByText("interrupted", { exact: true })).toBeVisible();
  vi.spyOn(api, "live").mockImplementation((run) => restoring.get(run));
  for (const [listener] of subscribe.mock.calls) {
    listener({ kind: "phase", run: id, phase: { kind: "restoring" } });
  }
  await expect.element(main.getByText("resuming", { exact: true })).toBeVisible();
  await expect.element(main.getByRole("button", { name: "Pause" })).toBeEnabled();
});

test("one that was interrupted and rests is offered to be resumed", async () => {
  const { id } = await interrupted();
  location.hash = `#/run/${id}`;
  await expect.element(main.getByRole("button", { name: "Resume" }).first()).toBeEnabled();
  await expect.element(main.getByText("interrupted", { exact: true })).toBeVisible();
});

test("after a line is dismissed one goes on from the screen, and not from the top of the page", async () => {
  api.importBundle = () => Promise.reject(new HoldfastError("corrupt", "It is a ZIP archive."));
  const clipboard = new DataTransfer();
  clipboard.items.add(new File(["x"], "photos.zip"));
  window.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard }));
  const dismiss = main.getByRole("button", { name: "Dismiss" });
  await expect.element(dismiss).toBeVisible();
  dismiss.element().focus();
  await userEvent.keyboard("{Enter}");
  await expect.element(main).toHaveFocus();
});

test("Escape keeps what deleting for good was asked about, and the focus goes back", async () => {
  location.hash = "#/";
  await userEvent.click(main.getByRole("button", { name: /^Delete / }).last());
  await userEvent.click(main.getByText(/^Trash/));
  await userEvent.click(main.getByRole("button", { name: "Empty the trash", exact: true }));
  await expect.element(main.getByRole("button", { name: "Keep" })).toHaveFocus();
  await userEvent.keyboard("{Escape}");
  await expect.element(main.getByRole("button", { name: "Empty the trash", exact: true })).toHaveFocus();
  expect(await api.trash()).not.toEqual([]);
});

test("a picture of a much older step says so, and a text what it goes on from and of which step it is", async () => {
  const { picture } = FakeHoldfast.prototype;
  api.picture = (run, step) => picture.call(api, run, step ?? 200);
  location.hash = "#/run/penguins";
  await expect.element(main.getByText("of step 200, 200 steps ago")).toBeVisible();
  api.picture = (run, step) => picture.call(api, run, step);
  location.hash = "#/run/shakespeare";
  const sample = main.getByRole("region", { name: /^Sample/ });
  await expect.element(sample.getByText("step 3,000, from a new line, temperature 0.8")).toBeVisible();
  // The control: it is as new as can be.
  expect(sample.getByText("ago").query()).toBeNull();
  const asking = main.getByRole("region", { name: /^Try it/ });
  await userEvent.fill(asking.getByLabelText("It goes on from"), "My lord");
  await userEvent.click(asking.getByRole("button", { name: "Write" }));
  await expect.element(asking.getByText("Made at step 3,000")).toBeVisible();
  await expect.element(asking.getByText("from “My lord”, temperature 0.8")).toBeVisible();
});

test("the metric of the chart stands in the address, beside the step", async () => {
  location.hash = "#/run/shakespeareslower?metric=accuracy";
  const metric = main.getByRole("combobox", { name: "Metric of the chart" });
  await expect.element(metric).toHaveValue("accuracy");
  await expect.element(main.getByRole("img", { name: /accuracy by step/i })).toBeVisible();
  await userEvent.fill(main.getByRole("textbox", { name: "Step" }), "41");
  await userEvent.click(main.getByRole("button", { name: "Show", exact: true }));
  await vi.waitUntil(() => location.hash === "#/run/shakespeareslower?step=41&metric=accuracy");
  await userEvent.selectOptions(metric, "loss");
  await vi.waitUntil(() => location.hash === "#/run/shakespeareslower?step=41");
  // The control: a name that nothing was evaluated by is the loss.
  location.hash = "#/run/shakespeareslower?metric=accurracy";
  await expect.element(metric).toHaveValue("loss");
});
