/** What a person sets holds after a reload, before the page is drawn, and for the next run. */
import { detail, openApp, start, waitFor } from "../support/app-page";
import { expect, expectNone, test, watchedPage, watchFaults, withoutServiceWorker } from "../support/browser";
import { button, PATIENTLY, runOnScreen, screen } from "../support/person";

const DARK = "rgb(17, 18, 20)";
const LIGHT = "rgb(247, 247, 245)";

test("theme and units are there after a reload, and the policy in the next run; a reset can be undone", async ({
  live,
  app,
}) => {
  const { page, faults } = await watchedPage(live, app.url);
  const main = screen(page);
  await page.getByRole("navigation", { name: "Holdfast" }).getByRole("link", { name: "Settings" }).click();
  await expect(page.locator("body")).toHaveCSS("background-color", LIGHT);
  await main.getByRole("radio", { name: "Dark" }).check();
  await expect(page.locator("body")).toHaveCSS("background-color", DARK);
  await main.getByRole("radio", { name: "MiB" }).check();
  await main.getByLabel("Save", { exact: true }).selectOption("steps");
  await main.getByLabel("Save every", { exact: true }).fill("7");
  await main.getByLabel("Keep checkpoints").selectOption("lean");

  await page.reload();
  await expect(main.getByRole("radio", { name: "Dark" })).toBeChecked();
  await expect(page.locator("body")).toHaveCSS("background-color", DARK);
  await expect(main.getByText(/^[\d.]+ [KMG]iB$/).first()).toBeVisible();

  await page.getByRole("link", { name: "New run" }).click();
  await main.getByRole("radio", { name: "Spirals" }).check();
  await main.getByRole("radio", { name: "Tiny" }).check();
  await expect(main.getByLabel("Save every", { exact: true })).toHaveValue("7");
  await main.getByLabel("Steps", { exact: true }).fill("20");
  await button(page, "Start training").click();
  const run = await runOnScreen(page);
  const { record } = await detail(page, run);
  expect(record.policy.save).toEqual({ kind: "steps", every: 7 });
  expect(record.policy.keep?.[0]).toEqual({ kind: "latest", count: 2 });
  await waitFor(page, run, { status: "finished" });

  await page.getByRole("navigation", { name: "Holdfast" }).getByRole("link", { name: "Settings" }).click();
  await button(page, "Reset to defaults").click();
  await expect(main.getByRole("radio", { name: "As the system" })).toBeChecked();
  await expect(page.locator("body")).toHaveCSS("background-color", LIGHT);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.locator("body")).toHaveCSS("background-color", DARK);
  await expect(main.getByLabel("Save every", { exact: true })).toHaveValue("7");
  expectNone(faults);
});

test("the theme is there before the page is: without any script of its own", async ({ page, app }) => {
  await withoutServiceWorker(page);
  await page.goto(app.url);
  await page.evaluate(() => {
    localStorage.setItem("holdfast/settings", '{"version":1,"theme":"dark"}');
  });
  await page.route("**/assets/*.js", (route) => route.abort());
  await page.reload();
  await expect(page.locator("body")).toHaveCSS("background-color", DARK);
  // The control: as the system says.
  await page.evaluate(() => {
    localStorage.clear();
  });
  await page.reload();
  await expect(page.locator("body")).toHaveCSS("background-color", LIGHT);
});

test("damaged settings are the defaults, which is said once", async ({ page, app }) => {
  const faults = await watchFaults(page);
  await page.goto(app.url);
  await page.evaluate(() => {
    localStorage.setItem("holdfast/settings", '{"version":1,"theme":"dark","keep":7}');
  });
  await page.reload();
  await expect(screen(page).getByText(/could not be read.*keep/)).toBeVisible();
  await expect(page.locator("body")).toHaveCSS("background-color", DARK);
  await page.reload();
  await openApp(page, app.url);
  await expect(screen(page).getByRole("heading", { level: 1 })).toBeVisible();
  await expect(screen(page).getByText(/could not be read/)).toHaveCount(0);
  expectNone(faults);
});

test("the tab shows how far the run is that trains, and a notification its end", async ({ live, app }) => {
  const { page, faults } = await watchedPage(live, app.url);
  await live.context.grantPermissions(["notifications"], { origin: new URL(app.url).origin });
  const main = screen(page);
  const icon = page.locator('link[rel="icon"]');
  await page.evaluate(() => {
    location.hash = "#/settings";
  });
  await main.getByRole("checkbox", { name: /^When a run ends/ }).click();
  await expect(main.getByRole("checkbox", { name: /^When a run ends/ })).toBeChecked();
  const run = await start(page, {
    task: "spirals",
    preset: "tiny",
    name: "Told",
    steps: 300,
    policy: { save: { kind: "steps", every: 100 }, draw: false },
  });
  await expect(page).toHaveTitle(/^[1-9]\d? % · Settings/, PATIENTLY);
  await expect(icon).toHaveAttribute("href", /^data:image\/svg/);
  // A page of Playwright's is never hidden, and a browser without a screen shows nothing: both are put in their place.
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { get: () => true });
    globalThis.Notification = class extends Notification {
      constructor(title: string, options: NotificationOptions = {}) {
        super(title, options);
        sessionStorage.setItem("told", `${sessionStorage.getItem("told") ?? ""}${title}: ${options.body}`);
      }
    };
  });
  await waitFor(page, run, { status: "finished" });
  await expect
    .poll(() => page.evaluate(() => sessionStorage.getItem("told")))
    .toBe("Told: Finished at step 300.");
  await expect(page).toHaveTitle(/^Settings/);
  await expect(icon).toHaveAttribute("href", /icon\.svg$/);
  expectNone(faults);
});

test("where no page may make a notification, the service worker does; a click leads to the run", async ({
  live,
  app,
}) => {
  const { page, faults } = await watchedPage(live, app.url);
  await live.context.grantPermissions(["notifications"], { origin: new URL(app.url).origin });
  const [worker = await live.context.waitForEvent("serviceworker")] = live.context.serviceWorkers();
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    localStorage.setItem("holdfast/settings", '{"version":1,"notifyEnd":true}');
  });
  await page.reload();
  await openApp(page, app.url);
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { get: () => true });
    // As on Android.
    globalThis.Notification = new Proxy(Notification, {
      construct: () => {
        throw new TypeError("Illegal constructor");
      },
    });
  });
  const run = await start(page, { task: "spirals", preset: "tiny", name: "Told", steps: 30 });
  await waitFor(page, run, { status: "finished" });
  const shown = () =>
    worker.evaluate(async () => {
      const { registration } = globalThis as unknown as ServiceWorkerGlobalScope;
      return (await registration.getNotifications()).map(({ title, body }) => `${title}: ${body}`);
    });
  await expect.poll(shown).toEqual(["Told: Finished at step 30."]);
  await worker.evaluate(async () => {
    const scope = globalThis as unknown as ServiceWorkerGlobalScope;
    const [notification] = await scope.registration.getNotifications();
    if (notification !== undefined)
      scope.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
  });
  await expect(page).toHaveURL(new RegExp(`#/run/${run}$`));
  expectNone(faults);
});
