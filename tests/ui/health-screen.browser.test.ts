/** What the health screen says before, and instead of, its numbers. */
import { mount, unmount } from "svelte";
import { afterEach, beforeEach, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { HoldfastError } from "../../src/errors";
import App from "../../src/ui/App.svelte";
import { FakeHoldfast } from "../support/fake-holdfast";
import "../../src/ui/base.css";
import "../../src/ui/tokens.css";

const main = page.getByRole("main");
const allIsWell = main.getByText("Nothing is wrong.");

let app: ReturnType<typeof mount>;
let api: FakeHoldfast;

beforeEach(() => {
  api = new FakeHoldfast("full", { ticking: false });
  location.hash = "#/health";
});

afterEach(async () => {
  await unmount(app);
  location.hash = "";
});

test("that nothing is wrong is said once it was looked at, and not before", async () => {
  const health = api.health.bind(api);
  let answer = (): void => undefined;
  const asked = new Promise<void>((resolve) => (answer = resolve));
  api.health = () => asked.then(health);
  app = mount(App, { target: document.body, props: { api } });
  await expect.element(main.getByText("Reading what is stored…")).toBeVisible();
  expect(allIsWell.query()).toBeNull();
  answer();
  await expect.element(allIsWell).toBeVisible();
});

test("what could not be read is said, nothing is promised of it, and it can be tried again", async () => {
  const health = api.health.bind(api);
  api.health = () => Promise.reject(new HoldfastError("corrupt", "The catalogue does not open."));
  app = mount(App, { target: document.body, props: { api } });
  await expect
    .element(main.getByText("What is stored could not be read: The catalogue does not open."))
    .toBeVisible();
  expect(allIsWell.query()).toBeNull();
  expect(main.getByText("Reading what is stored…").query()).toBeNull();
  api.health = health;
  await userEvent.click(main.getByRole("button", { name: "Try again" }));
  await expect.element(allIsWell).toBeVisible();
});
