/** What the page loads before it can be used. `npm run bench -- page` measures the same in a browser. */
import { beforeAll, expect, test } from "vitest";
import { ensureBuilt } from "../scripts/lib/build.mjs";
import { firstScripts, gzipBytes } from "./support/first-load";

const BOUND_BYTES = 120_000;

let dist = "";

beforeAll(async () => {
  dist = await ensureBuilt();
}, 120_000);

test("scripts of page and storage worker weigh at most 120 kB", () => {
  const names = firstScripts(dist);
  expect(names).toEqual(
    expect.arrayContaining([expect.stringMatching(/^index-/), expect.stringMatching(/^storage\.worker-/)]),
  );
  expect(gzipBytes(dist, names)).toBeLessThanOrEqual(BOUND_BYTES);
});

test("the chart, the other screens, the trainer and what leaves and comes as files are not among them", () => {
  const names = firstScripts(dist).join(" ");
  expect(names).not.toMatch(
    /Palette|Design|RunScreen|NewRunScreen|CompareScreen|HealthScreen|SettingsScreen|TrashCard|background|train\.worker|dist-|export-|import-|mirror-[^w]/,
  );
});
