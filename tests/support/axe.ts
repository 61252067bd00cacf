/** What axe-core finds wrong with what a page shows. */
import type { Page } from "@playwright/test";
import axeCore from "axe-core";

declare global {
  /** In the page, once its source was run there. */
  var axe: typeof axeCore;
}

/** WCAG 2.2, A and AA, and what is good practice beside it: every rule of theirs, none switched off. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** A line for each element and rule that it breaks: the rule, the element, and what is wrong with it. */
export async function faultsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeCore.source);
  const { violations } = await page.evaluate(
    (values) =>
      globalThis.axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] }),
    TAGS,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary = "" }) => {
      const [, ...why] = failureSummary.split("\n");
      return `${id}: ${target.join(" ")}: ${why.map((line) => line.trim()).join("; ")}`;
    }),
  );
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
};
