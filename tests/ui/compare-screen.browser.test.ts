/** What the screen of a comparison shows and keeps in its address, over made-up states. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { HoldfastError } from "../../src/errors";
import App from "../../src/ui/App.svelte";
import { svgFile } from "../../src/ui/svg-file";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

const main = page.getByRole("main");
const A = "shakespeare@400";
const B = "shakespeare@1200";
const C = "spiralsdropout@803";

let app: ReturnType<typeof mount>;
let api: FakeHoldfast;

beforeEach(async () => {
  await page.viewport(1440, 900);
  api = new FakeHoldfast("full", { ticking: false });
  location.hash = `#/compare?a=${A}&b=${B}&c=${C}`;
  app = mount(App, { target: document.body, props: { api } });
  await expect.element(main.getByText("3 states of 2 runs")).toBeVisible();
});

afterEach(async () => {
  await unmount(app);
  location.hash = "";
});

test("how it is looked at stands in the address, and computes nothing again", async () => {
  const compare = vi.spyOn(api, "compare");
  await userEvent.click(main.getByRole("button", { name: "filters / weight", exact: true }));
  await expect.element(main.getByRole("img", { name: "filters / weight of C" })).toBeVisible();
  await expect.element(main.getByRole("img", { name: /^Histogram of optimizer, v/ })).toBeVisible();
  await userEvent.selectOptions(main.getByLabelText("By", { exact: true }), "samples");
  await expect.element(main.getByRole("img", { name: /^Loss by samples drawn: A, B of/ })).toBeVisible();
  const address = `#/compare?a=${A}&b=${B}&c=${C}&by=samples`;
  expect(location.hash).toBe(`${address}&tensor=param%2Ffilters%2Fweight`);
  expect(compare).not.toHaveBeenCalled();
});

test("the metric of the curves is that of the address, and the loss where the runs have none of that name", async () => {
  location.hash = `#/compare?a=${A}&b=shakespeareslower@1200&metric=val_accuracy`;
  const metric = main.getByRole("combobox", { name: "Metric of the curves" });
  await expect.element(metric).toHaveValue("val_accuracy");
  await expect.element(main.getByRole("heading", { name: /accuracy.* curves/i })).toBeVisible();
  await userEvent.selectOptions(metric, "train_accuracy");
  await vi.waitUntil(() => location.hash.endsWith("&metric=train_accuracy"));
  await userEvent.selectOptions(metric, "loss");
  await vi.waitUntil(() => !location.hash.includes("metric"));
  location.hash += "&metric=val_unheard_of";
  await expect.element(metric).toHaveValue("loss");
});

test("the link is copied, and where the browser refuses it, the person is told where it stands", async () => {
  const copied = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValueOnce();
  await userEvent.click(main.getByRole("button", { name: "Copy link" }));
  await expect.element(page.getByText("Link copied.")).toBeVisible();
  expect(copied).toHaveBeenCalledExactlyOnceWith(location.href);
  copied.mockRejectedValueOnce(new DOMException("no", "NotAllowedError"));
  await userEvent.click(main.getByRole("button", { name: "Copy link" }));
  await expect.element(page.getByText("it stands in the address bar")).toBeVisible();
});

test("one beginning is put through each state, and no other while it is under way", async () => {
  location.hash = `#/compare?a=${A}&b=${B}`;
  const each = main.getByRole("region", { name: /^The same beginning/ });
  await userEvent.fill(each.getByLabelText("It goes on from"), "My lord");
  const ask = vi.spyOn(api, "ask");
  await userEvent.click(each.getByRole("button", { name: "Write" }));
  for (const letter of ["A", "B"]) {
    const group = each.getByRole("group", { name: `What ${letter} makes of it` });
    await expect.element(group.getByText("from “My lord”, temperature 0.8")).toBeVisible();
  }
  const [first, second] = ask.mock.calls;
  expect([first, second].map((call) => [call?.[0], call?.[2]])).toEqual([
    ["shakespeare", 400],
    ["shakespeare", 1200],
  ]);
  expect(second?.[1]).toEqual(first?.[1]);
  expect(first?.[1]).toMatchObject({ prompt: "My lord", seed: 1 });
});

test("states of different tasks, and of different data, are said to be so", async () => {
  await expect.element(main.getByText(/different tasks, Text and Spirals: no input fits/)).toBeVisible();
  const compute = main.getByRole("button", { name: "Compute" });
  await expect.element(compute).toBeEnabled();
  await userEvent.selectOptions(main.getByRole("combobox", { name: "to", exact: true }), "C: 803");
  await expect.element(compute).toBeDisabled();
  await expect.element(main.getByText("There is no line between states of different tasks.")).toBeVisible();
  const each = main.getByRole("region", { name: /^The same beginning/ });
  expect(each.query()).toBeNull();
  location.hash = `#/compare?a=${A}&b=shakespeareslower@1200`;
  await expect.element(each).toBeVisible();
  // Made up of one text, so nothing is said of another.
  expect(each.getByText("learnt from different texts").query()).toBeNull();
  const compare = api.compare.bind(api);
  api.compare = async (...steps) => {
    const comparison = await compare(...steps);
    const sides = comparison.sides.map((side, at) => ({ ...side, environment: { data: `text ${at}` } }));
    return { ...comparison, sides };
  };
  location.hash = `#/compare?a=${A}&b=shakespeareslower@1000`;
  await expect.element(each.getByText(/learnt from different texts/)).toBeVisible();
});

test("of amounts, the predictions that moved most come first, each beside the true value", async () => {
  api.answers = (_run, step) =>
    Promise.resolve({
      kind: "amounts",
      of: "weight_g",
      examples: ["row 1: site bay", "row 2: site cape", "row 3: site bay"],
      right: Float64Array.of(50, 60, 70),
      given: step === 400 ? Float64Array.of(50, 66, 70) : Float64Array.of(52, 61, 70),
    });
  location.hash = `#/compare?a=${A}&b=${B}`;
  const moved = main.getByRole("region", { name: /^Predictions that moved most/ });
  await expect.element(moved.getByText("2 of 3 held out; 1 closer, 1 farther off")).toBeVisible();
  const rows = moved.getByRole("row").elements();
  expect(rows.map((row) => Array.from((row as HTMLTableRowElement).cells, (cell) => cell.innerText))).toEqual(
    [
      ["example", "weight_g", "A", "B"],
      ["row 2: site cape", "60.00", "66.00", "61.00"],
      ["row 1: site bay", "50.00", "50.00", "52.00"],
    ],
  );
});

test("any step can be typed, one made the first, and one taken away", async () => {
  const typed = main.getByRole("spinbutton", { name: "or step B" });
  await userEvent.fill(typed, "999");
  await userEvent.keyboard("{Enter}");
  await vi.waitUntil(() => location.hash.includes("b=shakespeare@999"));
  // The run has not been there.
  await userEvent.fill(typed, "9999");
  await userEvent.keyboard("{Enter}");
  await expect.element(typed).toHaveValue(999);
  await userEvent.click(main.getByRole("button", { name: "Make it A, now C" }));
  await vi.waitUntil(() => location.hash === `#/compare?a=${C}&b=${A}&c=shakespeare@999`);
  await userEvent.click(main.getByRole("button", { name: "Remove A" }));
  await vi.waitUntil(() => location.hash === `#/compare?a=${A}&b=shakespeare@999`);
  await expect.element(main.getByText("2 states of one run")).toBeVisible();
});

test("why there is no line is said, and a line is ended where nobody looks any more", async () => {
  api.interpolate = () => Promise.reject(new HoldfastError("invalid", "There is no line between them."));
  const line = main.getByRole("region", { name: /^Loss on the line/ });
  await userEvent.click(line.getByRole("button", { name: "Compute" }));
  await expect.element(line.getByText("There is no line between them.")).toBeVisible();
  let ended: AbortSignal | undefined;
  api.interpolate = (_from, _to, options) => {
    ended = options?.signal;
    return new Promise(() => undefined);
  };
  await userEvent.selectOptions(line.getByLabelText("from", { exact: true }), "B: 1200");
  await userEvent.selectOptions(line.getByLabelText("to", { exact: true }), "A: 400");
  await userEvent.click(line.getByRole("button", { name: "Compute" }));
  await vi.waitUntil(() => ended !== undefined);
  expect(ended?.aborted).toBe(false);
  expect(location.hash).toContain("&line=ba");
  await userEvent.click(line.getByRole("button", { name: "Cancel" }));
  await vi.waitUntil(() => ended?.aborted === true);
  expect(location.hash).not.toContain("line=");
});

test("a histogram leaves with the colours that style sheets give it", async () => {
  const shown = main.getByRole("img", { name: /^Histogram of values/ });
  await expect.element(shown).toBeVisible();
  const drawing = shown.element() as SVGSVGElement;
  const text = await svgFile(drawing, "rgb(1, 2, 3)").text();
  const file = new DOMParser().parseFromString(text, "image/svg+xml");
  const fills = [...file.querySelectorAll("path[stroke-width='1.2px']")].map((path) =>
    path.getAttribute("fill"),
  );
  expect(new Set(fills).size).toBe(3);
  expect(fills.every((fill) => /^rgb/.test(fill ?? ""))).toBe(true);
  expect(file.querySelector("rect")?.getAttribute("fill")).toBe("rgb(1, 2, 3)");
  // The control: what the page itself has names no colour.
  expect(drawing.outerHTML).not.toContain("rgb");
});

test("a run that is not among those here is said to be so, where it is chosen", async () => {
  location.hash = `#/compare?a=gone@10&b=${B}`;
  const run = main.getByRole("combobox", { name: "Run A" });
  await expect.element(run).toHaveValue("gone");
  await expect.element(run).toHaveDisplayValue("not here");
});

test("what is understood first comes first, and what nobody set is shown where it is asked for", async () => {
  location.hash = `#/compare?a=${A}&b=${B}`;
  await expect.element(main.getByRole("region", { name: /^The same beginning/ })).toBeVisible();
  await expect.element(main.getByRole("heading", { name: /^Loss curves/ })).toBeVisible();
  const headings = main.getByRole("heading", { level: 2 }).elements();
  const order = [
    "What differs",
    "Loss curves",
    "The same beginning",
    "Step 400",
    "Loss on the line",
    "Change by",
  ];
  const places = order.map((begin) => headings.findIndex((one) => one.textContent.trim().startsWith(begin)));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));

  location.hash = `#/compare?a=${A}&b=${B}&c=${C}`;
  const differs = main.getByRole("region", { name: /^What differs/ });
  await expect.element(differs.getByRole("row", { name: /^Learning rate/ })).toBeVisible();
  expect(differs.getByRole("row", { name: /^Browser/ }).query()).toBeNull();
  await userEvent.click(differs.getByRole("button", { name: "Show what nobody set: 1 difference" }));
  await expect.element(differs.getByRole("row", { name: "Browser Chromium 156" })).toBeVisible();
});
