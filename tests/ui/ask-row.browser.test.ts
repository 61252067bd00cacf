/** The card that asks by a row of a table, over made-up rows: what is filled in, asked and said. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import { HoldfastError } from "../../src/errors";
import App from "../../src/ui/App.svelte";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

const main = page.getByRole("main");
const card = main.getByRole("region", { name: /^Try it/ });
const said = card.getByRole("list", { name: "species, as predicted at step 820" });

let app: ReturnType<typeof mount>;
let api: FakeHoldfast;

beforeEach(async () => {
  await page.viewport(1280, 900);
  api = new FakeHoldfast("table", { ticking: false });
  location.hash = "#/run/birds";
  app = mount(App, { target: document.body, props: { api } });
});

afterEach(async () => {
  await unmount(app);
  location.hash = "";
});

test("a row is filled in from what is held out, and asked by; what is changed then is asked at once", async () => {
  const ask = vi.spyOn(api, "ask");
  await expect
    .element(card.getByText("Filled in from row 17, held out: its species is dunlin."))
    .toBeVisible();
  await expect.element(card.getByLabelText("site")).toHaveValue("estuary");
  await expect.element(card.getByLabelText("bill_mm")).toHaveValue("");
  // Nothing is asked of the model before somebody asks.
  expect(ask).not.toHaveBeenCalled();
  await userEvent.click(card.getByRole("button", { name: "Predict" }));
  await expect.element(said).toHaveTextContent("dunlin 0.8533");
  // What the model does not read is not among it.
  const cells = { site: "estuary", bill_mm: "", wing_mm: "128" };
  expect(ask).toHaveBeenLastCalledWith("birds", { kind: "row", cells }, undefined);
  await userEvent.selectOptions(card.getByLabelText("site"), "missing");
  await vi.waitUntil(() => ask.mock.calls.length === 2);
  expect(ask).toHaveBeenLastCalledWith("birds", { kind: "row", cells: { ...cells, site: "" } }, undefined);
  await userEvent.click(card.getByRole("button", { name: "Another row" }));
  await expect.element(card.getByText(/^Filled in from row 18/)).toBeVisible();
  await expect.element(card.getByLabelText("site")).toHaveValue("estuary");
  await expect.element(said).toHaveTextContent("dunlin 0.8600");
});

test("what is given wrong is said with the name of its column, and one of the rare values stands for all", async () => {
  api.ask = () =>
    Promise.reject(new HoldfastError("invalid", "“wing_mm” is a number, and “x” is none; give one."));
  await userEvent.fill(card.getByLabelText("wing_mm"), "x");
  await userEvent.selectOptions(card.getByLabelText("site"), "pier, or another rare one");
  await userEvent.click(card.getByRole("button", { name: "Predict" }));
  await expect.element(card.getByText(/^“wing_mm” is a number/)).toBeVisible();
});

test("where there is no row to begin with, it is said why", async () => {
  api.example = () => Promise.reject(new HoldfastError("missing", "The data of this run is not here."));
  location.hash = "#/";
  await expect.element(main.getByRole("heading", { name: "Runs" })).toBeVisible();
  location.hash = "#/run/birds";
  await expect.element(card.getByText(/The data of this run is not here/)).toBeVisible();
  expect(card.getByRole("button", { name: "Predict" }).query()).toBeNull();
});

test("one row goes through each state of a comparison, asked by what any of them reads", async () => {
  const example = api.example.bind(api);
  const ask = vi.spyOn(api, "ask");
  api.runs = async () => [];
  api.example = async (run, index) => {
    const one = await example(run, index);
    const fields = run === "birds" ? one.fields.slice(1) : one.fields;
    return { ...one, fields };
  };
  location.hash = "#/compare?a=birds@40&b=birds@800";
  const each = main.getByRole("region", { name: /^The same row through each/ });
  await userEvent.click(each.getByRole("button", { name: "Predict" }));
  for (const [letter, step] of [
    ["A", 40],
    ["B", 800],
  ] as const) {
    const group = each.getByRole("group", { name: `What ${letter} makes of it` });
    await expect
      .element(group.getByRole("list", { name: `species, as predicted at step ${step}` }))
      .toBeVisible();
  }
  expect(ask.mock.calls[0]?.[1]).toEqual({ kind: "row", cells: { bill_mm: "", wing_mm: "128" } });
  expect(ask.mock.calls[1]?.[1]).toEqual(ask.mock.calls[0]?.[1]);
});
