/** The command palette and single keys under a real keyboard, over made-up runs. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { page, userEvent } from "vitest/browser";
import App from "../../src/ui/App.svelte";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

const main = page.getByRole("main");
const field = page.getByRole("combobox", { name: "Command, run or step" });
const dialog = page.getByRole("dialog");
const options = dialog.getByRole("option");
const chosen = dialog.getByRole("option", { selected: true });

let app: ReturnType<typeof mount>;
let api: FakeHoldfast;

beforeEach(async () => {
  localStorage.clear();
  await page.viewport(1440, 900);
  api = new FakeHoldfast("full");
  location.hash = "#/run/shakespeareslower";
  app = mount(App, { target: document.body, props: { api } });
  await expect.element(main.getByRole("button", { name: "Pause" })).toBeVisible();
});

afterEach(async () => {
  await unmount(app);
  location.hash = "";
});

async function command(typed: string): Promise<void> {
  await userEvent.keyboard("{Control>}k{/Control}");
  await expect.element(field).toHaveFocus();
  await userEvent.keyboard(typed);
}

test("arrows choose, Enter does it, Escape gives the focus back", async () => {
  const opener = page.getByRole("button", { name: /^Commands/ });
  opener.element().focus();
  await userEvent.keyboard("{Enter}");
  await expect.element(field).toHaveFocus();
  await expect.element(chosen).toHaveTextContent("Pause");
  await userEvent.keyboard("{ArrowDown}");
  await expect.element(chosen).not.toHaveTextContent("Pause");
  expect(field.element().getAttribute("aria-activedescendant")).toBe(chosen.element().id);
  await userEvent.keyboard("{ArrowUp}{ArrowUp}");
  expect(chosen.element()).toBe(options.elements().at(-1));
  await userEvent.keyboard("{Escape}");
  await expect.element(dialog).not.toBeInTheDocument();
  await expect.element(opener).toHaveFocus();
});

test("a run is deleted and imported by name", async () => {
  location.hash = "#/run/shakespeare";
  await expect.element(main.getByRole("heading", { name: "Shakespeare", exact: true })).toBeVisible();
  await command("delete this");
  await userEvent.keyboard("{Enter}");
  await expect.element(page.getByText(/^Deleted “/)).toBeVisible();
  await expect.element(main.getByRole("heading", { name: "Runs" })).toBeVisible();
  const picked = vi.spyOn(HTMLInputElement.prototype, "click").mockImplementation(function (
    this: HTMLInputElement,
  ) {
    const files = new DataTransfer();
    files.items.add(new File(["x"], "run.holdfast"));
    this.files = files.files;
    this.dispatchEvent(new Event("change"));
  });
  const imported = vi.spyOn(api, "importBundle");
  await command("import");
  await userEvent.keyboard("{Enter}");
  await vi.waitUntil(() => imported.mock.calls.length > 0);
  picked.mockRestore();
  expect(imported.mock.calls[0]?.[0]).toMatchObject({ name: "run.holdfast" });
});

test("what cannot be done now is not offered", async () => {
  await command("resume");
  await expect.element(page.getByText("Nothing has all of these words.")).toBeVisible();
  expect(options.query()).toBeNull();
});

test("runs, screens, tasks, menus and steps are gone to by name", async () => {
  await command("modular{Enter}");
  await expect.element(main.getByRole("radio", { name: "Modular addition" })).toBeChecked();
  await command("dropout{Enter}");
  await expect.element(main.getByRole("heading", { level: 1 })).toHaveTextContent("Spirals, dropout 0.2");
  await expect.element(main).toHaveFocus();
  // Its name stands there before the run is read, and with it its steps.
  await expect.element(main.getByRole("button", { name: "Resume" })).toBeVisible();
  await command("41{Enter}");
  await expect.element(main.getByRole("heading", { name: /^Step 41/ })).toBeVisible();
  await command("learning{Enter}");
  await expect.element(main.getByRole("group", { name: "Learning rate" })).toBeVisible();
  await userEvent.keyboard("{Escape}");
  await command("fork{Enter}");
  await expect.element(main.getByRole("button", { name: "Start the fork" })).toBeVisible();
  await command("health{Enter}");
  await expect.element(main.getByRole("heading", { level: 1 })).toHaveTextContent("Health");
});

test("single keys do what their buttons do, never in a field, and not where they are switched off", async () => {
  const pause = vi.spyOn(api, "pause");
  main.element().focus();
  const step = main.getByRole("textbox", { name: "Step" });
  step.element().focus();
  await userEvent.keyboard("p");
  expect(pause).not.toHaveBeenCalled();
  await expect.element(step).toHaveValue("p");

  main.element().focus();
  await userEvent.keyboard("?");
  const switched = dialog.getByRole("checkbox", { name: /^Single keys/ });
  await userEvent.click(switched);
  await userEvent.keyboard("{Escape}");
  main.element().focus();
  await userEvent.keyboard("p?");
  expect(pause).not.toHaveBeenCalled();
  await expect.element(dialog).not.toBeInTheDocument();

  await command("keyboard{Enter}");
  await userEvent.click(switched);
  await userEvent.keyboard("{Escape}");
  main.element().focus();
  await userEvent.keyboard("p");
  await expect.element(main.getByRole("button", { name: "Resume" })).toBeVisible();
  expect(pause).toHaveBeenCalledTimes(1);
});
