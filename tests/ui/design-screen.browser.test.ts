/** The page of pieces: its numbers are those of the colours that are shown. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test } from "vitest";
import { page } from "vitest/browser";
import App from "../../src/ui/App.svelte";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

const TEXT = ["--ink", "--soft", "--faint", "--sea", "--kelp", "--coral", "--good"];
const tokens = page.getByRole("region", { name: /^Tokens/ });

let app: ReturnType<typeof mount>;

beforeEach(() => {
  location.hash = "#/design";
  app = mount(App, { target: document.body, props: { api: new FakeHoldfast("full", { ticking: false }) } });
});

afterEach(async () => {
  document.documentElement.removeAttribute("style");
  await unmount(app);
  location.hash = "";
});

function onPanel(token: string): number {
  const head = tokens.getByRole("rowheader", { name: token, exact: true }).element();
  return Number(head.parentElement?.querySelector("td")?.textContent);
}

test("colours of text can be read on panels", async () => {
  await expect.element(tokens.getByRole("rowheader", { name: "--ink", exact: true })).toBeVisible();
  for (const token of TEXT) expect(onPanel(token), token).toBeGreaterThanOrEqual(4.5);
  expect(onPanel("--edge")).toBeGreaterThanOrEqual(3);
});

test("a colour that cannot be read shows in its number", async () => {
  await unmount(app);
  document.documentElement.style.setProperty("--soft", "#c8c8c8");
  document.documentElement.style.setProperty("--panel", "#ffffff");
  app = mount(App, { target: document.body, props: { api: new FakeHoldfast("full", { ticking: false }) } });
  await expect.element(tokens.getByRole("rowheader", { name: "--soft", exact: true })).toBeVisible();
  expect(onPanel("--soft")).toBeLessThan(4.5);
});
