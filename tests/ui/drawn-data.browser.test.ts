/** Examples drawn on the form of a new run, with a real pointer and by keys, over made-up runs. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import App from "../../src/ui/App.svelte";
import { DRAWINGS_KEY } from "../../src/ui/drawn-classes.svelte";
import { drawingFiles, readSet } from "../../src/ui/drawn-set";
import { drawingImage } from "../../src/ui/drawing-image";
import { centred } from "../../src/tasks/centred";
import { decodedImages } from "../../src/tasks/decoded-images";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

let app: ReturnType<typeof mount>;
const main = page.getByRole("main");
const button = (name: string | RegExp) =>
  main.getByRole("button", { name, exact: typeof name === "string" }).first();

function open(): void {
  location.hash = "#/new?task=digits";
  app = mount(App, { target: document.body, props: { api: new FakeHoldfast("empty") } });
}

beforeEach(async () => {
  await page.viewport(1100, 1000);
  localStorage.removeItem(DRAWINGS_KEY);
  open();
  await userEvent.click(main.getByRole("radio", { name: /^Digits/ }));
  await userEvent.click(button(/^Draw examples/));
});
afterEach(async () => {
  await unmount(app);
  localStorage.removeItem(DRAWINGS_KEY);
  location.hash = "";
});

function pad(): HTMLElement {
  return main.getByRole("application", { name: /^Drawing pad/ }).element() as HTMLElement;
}

/** By keys, as no pointer is needed for. */
async function stroke(): Promise<void> {
  pad().focus();
  await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}{ArrowRight}");
}

test("by keys alone: drawn, added, counted, removed and brought back", async () => {
  await stroke();
  await userEvent.keyboard("{Enter}");
  await stroke();
  await userEvent.keyboard("{Enter}");
  await expect.element(main.getByText("2 drawn")).toBeVisible();
  await expect.element(main.getByText("2 of at least 10 drawings")).toBeVisible();
  await expect.element(button("Use the drawings")).toBeDisabled();
  // An empty pad adds nothing.
  pad().focus();
  await userEvent.keyboard("{Enter}");
  await expect.element(main.getByText("2 drawn")).toBeVisible();
  (button("Remove drawing 2 of “class 1”").element() as HTMLElement).focus();
  await userEvent.keyboard("{Enter}");
  await expect.element(main.getByText("1 drawn")).toBeVisible();
  // The button that had the keyboard's place is gone.
  await expect.element(button("Undo")).toHaveFocus();
  await userEvent.keyboard("{Enter}");
  await expect.element(main.getByText("2 drawn")).toBeVisible();
  await expect.element(main.getByRole("radio", { name: "Draw “class 1”" })).toHaveFocus();
  // Enter in a name starts no run.
  await userEvent.fill(main.getByRole("textbox", { name: "Name of class 2" }), "cross");
  await userEvent.keyboard("{Enter}");
  expect(location.hash).toBe("#/new?task=digits");
  // A name is not what is drawn for.
  await expect.element(button("Add to “class 1”")).toBeVisible();
  await userEvent.click(main.getByRole("radio", { name: "Draw “cross”" }));
  await stroke();
  await userEvent.click(button("Add to “cross”"));
  await expect.element(main.getByRole("list", { name: "Drawings of “cross”" })).toBeVisible();
});

test("what was drawn is there after the page is opened again", async () => {
  await stroke();
  await userEvent.keyboard("{Enter}");
  await unmount(app);
  open();
  await userEvent.click(main.getByRole("radio", { name: /^Digits/ }));
  await userEvent.click(button("Draw examples (1)"));
  await expect.element(main.getByText("1 drawn")).toBeVisible();
});

test("ten of two classes become the data, until more is drawn", async () => {
  for (let i = 0; i < 5; i++) {
    await stroke();
    await userEvent.keyboard("{Enter}");
  }
  await userEvent.click(main.getByRole("radio", { name: "Draw “class 2”" }));
  for (let i = 0; i < 5; i++) {
    expect(main.getByText(/It trains on what you drew/).query()).toBeNull();
    await stroke();
    await userEvent.keyboard("{Enter}");
  }
  await expect.element(main.getByText(/It trains on what you drew/)).toBeVisible();
  await userEvent.click(button("Use the drawings"));
  await expect.element(main.getByText("The run trains on these 10 drawings.")).toBeVisible();
  await stroke();
  await userEvent.keyboard("{Enter}");
  await expect.element(main.getByText("11 drawings; the more of each")).toBeVisible();
  await expect.element(button("Use the drawings")).toBeEnabled();
});

test("a drawing is trained on as the model is asked with it: the same pixels, to the last one", async () => {
  const pixels = Uint8Array.from({ length: 112 * 112 }, (_, i) =>
    i % 7 < 3 && i > 4000 && i < 9000 ? 40 * (i % 7) + 90 : 0,
  );
  const image = drawingImage(pixels, 112, 112)!;
  const other = drawingImage(pixels.toReversed(), 112, 112)!;
  const kept = readSet(
    JSON.stringify({
      version: 1,
      classes: [
        { name: "a", drawings: [image] },
        { name: "b", drawings: [other] },
      ],
    }),
  )!;
  const files = await Promise.all(
    drawingFiles(kept).map(async ({ path, file }) => ({
      path,
      bytes: new Uint8Array(await file.arrayBuffer()),
    })),
  );
  const { set } = await decodedImages(files);
  expect(set).toMatchObject({ width: 32, height: 32, channels: 1, classes: ["a", "b"] });
  const wanted = centred(pixels, 112, 112, set)!;
  expect([...set.pixels.subarray(0, 32 * 32)]).toEqual([...wanted]);
  // Control: another drawing is another one.
  expect([...set.pixels.subarray(32 * 32)]).not.toEqual([...wanted]);
  expect(drawingImage(new Uint8Array(112 * 112), 112, 112)).toBeNull();
});
