/** What axe-core finds wrong with what a page shows. */
import type { Page } from "@playwright/test";
import axeCore from "axe-core";

declare global {
  /** In the page, once its source was run there. */
  var axe: typeof axeCore;
}

/** WCAG 2.2, A and AA, and what is good practice beside it: every rule of theirs, none switched off. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * Two rules of our own. `chart-name`: what is drawn has a name, or is hidden from those who listen. `chart-table`: where it is a
 * chart of its own, and not one in a table, the numbers stand beside it.
 */
function chartFaults(): readonly string[] {
  const nameOf = (drawn: Element) =>
    drawn.closest('[role="img"], [role="application"]')?.getAttribute("aria-label") ?? "";
  const nameless = [...document.querySelectorAll("canvas, svg")]
    .filter((drawn) => drawn.closest('[aria-hidden="true"]') === null && nameOf(drawn) === "")
    .map((drawn) => `chart-name: ${drawn.outerHTML.slice(0, 80)}`);
  const bare = [...document.querySelectorAll('[role="img"]')]
    .filter((chart) => chart.closest("td") === null)
    .filter((chart) => {
      const near = chart.closest("section") ?? document.body;
      return ![...near.querySelectorAll("summary")].some((one) => one.textContent.startsWith("Numbers of"));
    })
    .map((chart) => `chart-table: ${chart.getAttribute("aria-label") ?? ""}`);
  return [...nameless, ...bare];
}

/** A line for each element and rule that it breaks: the rule, the element, and what is wrong with it. */
export async function faultsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeCore.source);
  const { violations } = await page.evaluate(
    (values) =>
      globalThis.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] }),
    TAGS,
  );
  const byAxe = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary = "" }) => {
      const [, ...why] = failureSummary.split("\n");
      return `${id}: ${target.join(" ")}: ${why.map((line) => line.trim()).join("; ")}`;
    }),
  );
  return [...byAxe, ...(await page.evaluate(chartFaults))];
}

/** Faults to be planted on a screen, by the rule that has to find them. */
export const PLANTED: Readonly<Record<string, (main: HTMLElement) => void>> = {
  "button-name": (main) => main.append(document.createElement("button")),
  "color-contrast": (main) => {
    const grey = document.createElement("p");
    grey.textContent = "Grey on grey";
    Object.assign(grey.style, { color: "#999", background: "#aaa" });
    main.append(grey);
  },
  "chart-name": (main) => main.append(document.createElement("canvas")),
  "chart-table": (main) => {
    const chart = document.createElement("p");
    chart.role = "img";
    chart.ariaLabel = "A chart";
    main.append(chart);
  },
};
