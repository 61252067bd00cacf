/**
 * Killed and resumed, bit for bit: each task, each optimizer and each death at least once.
 * `npm run drill -- exactness` runs all of them.
 */
import { test } from "../support/browser";
import { openApp } from "../support/app-page";
import { nameOf, proveCell, reference, someCells } from "../support/exactness";

for (const cell of someCells()) {
  test(nameOf(cell), async ({ live, app }) => {
    await openApp(live.page, app.url);
    const expected = await reference(live.page, cell);
    const told = await proveCell(live, app.url, cell, expected);
    test.info().annotations.push({ type: "resumed", description: told });
  });
}
