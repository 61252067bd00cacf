/**
 * What lists and tables cost the page's own thread where a thousand rows could stand in each: to show one, and a frame
 * while one scrolls through it. Times are those of script and layout on the processor.
 *
 * `--only NAME` measures one of them.
 */
import type { Page } from "@playwright/test";
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";
import { frameTimes, p95, traced } from "../tests/support/trace";

interface Long {
  /** Part of its keys. */
  readonly name: string;
  readonly hash: string;
  /** What stands there when it is shown. */
  readonly shown: string;
  /** What has to be done before it is. */
  readonly open?: (page: Page) => Promise<void>;
  /** What is scrolled, where that is not the page. */
  readonly scrolled?: string;
  readonly filter?: string;
}

/** Light, and where every measurement begins. */
const ELSEWHERE = "#/settings";
const TURNS = 40;
const WHEEL_PX = 400;
const COMPARED = "#/compare?a=shakespeare@400&b=shakespeare@1200";

const LISTS: readonly Long[] = [
  { name: "runs", hash: "#/", shown: "main tbody tr:nth-child(20)", filter: "49" },
  {
    name: "trash",
    hash: "#/",
    shown: "details li:nth-child(20)",
    open: (page) => page.getByText("Trash", { exact: false }).first().click(),
    scrolled: "details li:nth-child(4)",
  },
  { name: "health", hash: "#/health", shown: "[aria-labelledby=audit-heading] tr:nth-child(20)" },
  { name: "run", hash: "#/run/shakespeare", shown: "ol.steps li:nth-child(20)", scrolled: "ol.steps" },
  {
    name: "numbers",
    hash: "#/run/shakespeare",
    shown: "[role=group] tr:nth-child(20)",
    open: (page) => page.getByText("Numbers of the loss by step").click(),
    scrolled: "[role=group] table",
  },
  {
    name: "confusion",
    hash: "#/run/spiralsdropout",
    shown: "[role=region] table",
    scrolled: "[role=region] table",
  },
  { name: "compare", hash: COMPARED, shown: "[aria-labelledby=changes-heading] tbody tr" },
  {
    name: "tensors",
    hash: COMPARED,
    shown: "[aria-labelledby=tensors-heading] tbody tr:nth-child(20)",
    open: (page) =>
      page
        .getByRole("button", { name: /^Show / })
        .first()
        .click(),
  },
  {
    name: "columns",
    hash: "#/new?task=table",
    shown: ".columns tr:nth-child(20)",
    open: (page) =>
      page
        .locator("input[type=file]")
        .first()
        .setInputFiles({ name: "t.csv", mimeType: "text/csv", buffer: Buffer.from("a,b\n1,2\n") }),
    scrolled: ".columns table",
  },
];

export async function run({ browser, page: pageOf, log, options }: RunContext): Promise<BenchResult> {
  const only = options.get("only");
  const started = await browser();
  const results: Record<string, number> = {};
  for (const list of LISTS.filter(({ name }) => only === undefined || name === only)) {
    const page = await started.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${await pageOf("lists")}${ELSEWHERE}`);
    await page.getByRole("heading", { name: "Settings" }).waitFor();
    // What the screen is made of is loaded once, and not what is measured.
    const seen = page.locator(list.shown).first();
    const show = async (): Promise<void> => {
      await page.evaluate((hash) => (location.hash = hash), list.hash);
      await list.open?.(page);
      await seen.waitFor();
      await page.waitForTimeout(500);
    };
    await show();
    await page.evaluate((hash) => (location.hash = hash), ELSEWHERE);
    await seen.waitFor({ state: "detached" });
    const opening = frameTimes(await traced(started, page, show));
    if (list.scrolled !== undefined) await page.locator(list.scrolled).first().scrollIntoViewIfNeeded();
    const box = await page
      .locator(list.scrolled ?? "main")
      .first()
      .boundingBox();
    const moving = await traced(started, page, async () => {
      await page.mouse.move((box?.x ?? 0) + 200, Math.min(800, Math.max(10, box?.y ?? 0) + 100));
      for (let turn = 0; turn < TURNS; turn += 1) await page.mouse.wheel(0, WHEEL_PX);
      if (list.filter === undefined) return;
      const field = page.getByRole("searchbox").first();
      await field.pressSequentially(list.filter);
      await field.fill("");
    });
    const rows = await page.locator("main :is(tr, li)").count();
    log(`${list.name}: ${rows} rows, ${opening.length} and ${frameTimes(moving).length} frames`);
    results[`${list.name}_shown_ms`] = opening.reduce((sum, ms) => sum + ms, 0);
    results[`${list.name}_frame_p95_ms`] = p95(frameTimes(moving));
    await page.context().close();
  }
  return { adapter: "none", results };
}
