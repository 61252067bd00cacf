/**
 * The whole exactness matrix, thirty cells of each task. `--only TEXT` runs the cells whose name contains the text,
 * `--workers N` so many browsers at once (default 2).
 */
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { openApp } from "../support/app-page";
import { allCells, nameOf, proveCell, reference, type Cell, type Outcome } from "../support/exactness";
import { LiveBrowser } from "../support/kill";

export async function run({ options, app, log }: RunContext): Promise<DrillResult> {
  const only = options.get("only") ?? "";
  const cells = allCells().filter((cell) => nameOf(cell).includes(only));
  const url = await app();
  const references = await allReferences(url, cells);
  log(`${references.size} references`);
  const waiting = [...cells];
  let done = 0;
  const work = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const browser = await LiveBrowser.launch();
      try {
        const expected = references.get(rowOf(cell));
        if (expected === undefined) throw new Error(`there is no reference for ${rowOf(cell)}`);
        log(`equal   ${nameOf(cell)}: ${await proveCell(browser, url, cell, expected)}`);
        done += 1;
      } catch (error) {
        log(`FAILED  ${nameOf(cell)}: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        await browser.close();
      }
    }
  };
  await Promise.all(Array.from({ length: Number(options.get("workers") ?? 2) }, work));
  return { done, asked: cells.length };
}

function rowOf({ task, optimizer }: Cell): string {
  return `${task} ${optimizer}`;
}

/** One page for all of them: its shaders are compiled once. */
async function allReferences(url: string, cells: readonly Cell[]): Promise<Map<string, Outcome>> {
  const references = new Map<string, Outcome>();
  const browser = await LiveBrowser.launch();
  try {
    await openApp(browser.page, url);
    for (const cell of cells) {
      if (references.has(rowOf(cell))) continue;
      references.set(rowOf(cell), await reference(browser.page, cell));
    }
  } finally {
    await browser.close();
  }
  return references;
}
