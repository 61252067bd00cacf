/**
 * Nothing is wrong with any screen by axe-core's rules, over made-up runs: light and wide here, dark and narrow too in
 * `npm run drill -- axe`.
 */
import { ensureMadeUpPage } from "../../scripts/lib/build.mjs";
import { serve } from "../../scripts/lib/serve.mjs";
import { faultsOf, PLANTED } from "../support/axe";
import { expect, test as base } from "../support/browser";
import { MADE_UP_SCREENS, openScreen, type Screen } from "../support/screens";

const test = base.extend<{ readonly madeUp: string }>({
  madeUp: async ({}, use) => {
    const served = await serve(await ensureMadeUpPage());
    await use(`${served.url}tests/support/ui.html`);
    await served.close();
  },
});

// Two tests, for two workers.
for (const [what, isOne] of [
  ["screen with runs", ({ scene }: Screen) => scene === "full"],
  ["screen in another state", ({ scene }: Screen) => scene !== "full"],
] as const) {
  test(`no ${what} has a fault`, async ({ page, madeUp }) => {
    const faults: string[] = [];
    for (const screen of MADE_UP_SCREENS.filter(isOne)) {
      await openScreen(page, madeUp, screen);
      faults.push(...(await faultsOf(page)).map((fault) => `${screen.name}: ${fault}`));
    }
    expect(faults).toEqual([]);
  });
}

for (const [rule, plant] of Object.entries(PLANTED)) {
  test(`a planted fault is found by ${rule}`, async ({ page, madeUp }) => {
    await openScreen(page, madeUp, { name: "runs", route: "/", scene: "full" });
    await page.locator("main").evaluate(plant);
    expect(await faultsOf(page)).toEqual([expect.stringContaining(`${rule}: `)]);
  });
}
