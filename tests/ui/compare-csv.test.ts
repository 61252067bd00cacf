import { expect, test } from "vitest";
import type { ComparedSide } from "../../src/analysis/compare";
import { changesCsv, differencesCsv, lineCsv, tensorsCsv } from "../../src/ui/compare-csv";
import { comparedTensor } from "../support/compared";

const sides: readonly ComparedSide[] = [1, 2].map((step) => ({
  run: "r1",
  runName: "=SUM(1), tried",
  task: "",
  step,
  samples: 0,
  digest: "",
  metrics: {},
  settings: {},
  hasOwnData: false,
  environment: {},
}));

const lines = (table: string) => table.trimEnd().split("\r\n");

test("tensors leave with every digit, and a hole for what is not defined", () => {
  const [head, ...rows] = lines(
    tensorsCsv(sides, [comparedTensor("param/w", 1 / 3), comparedTensor("param/z", null)]),
  );
  expect(head).toContain('"change B (=SUM(1), tried, step 2)"');
  expect(rows).toEqual([`param/w,2x3,${1 / 3},${1 - 1 / 3},1,1`, "param/z,2x3,,,1,1"]);
});

test("what differs leaves beside the metrics; a text that a spreadsheet would compute is none any more", () => {
  const differing = [
    { of: "settings" as const, name: "tied", values: [null, true] },
    { of: "environment" as const, name: "browser", values: ["=1+1", "Chromium 156"] },
  ];
  const [, ...rows] = lines(
    differencesCsv(sides, [{ loss: 0.5, val_loss: 0.25 }, { loss: 0.125 }], differing),
  );
  expect(rows).toEqual([
    "metrics,loss,0.5,0.125",
    "metrics,val_loss,0.25,",
    "settings,tied,,true",
    "environment,browser,'=1+1,Chromium 156",
  ]);
});

test("amounts that moved leave with every digit", () => {
  const change = { example: "row 3: site a, b", right: 2, from: 1 / 3, to: 2.5, became: "better" } as const;
  expect(lines(changesCsv([change]))).toEqual([
    "example,right,from,to,became",
    `"row 3: site a, b",2,${1 / 3},2.5,better`,
  ]);
});

test("the line leaves with a column to each metric", () => {
  const points = [
    { alpha: -0.25, metrics: {} },
    { alpha: 0, metrics: { val_loss: 0.5, val_accuracy: 1 } },
  ];
  expect(lines(lineCsv(points))).toEqual(["alpha,val_loss,val_accuracy", "-0.25,,", "0,0.5,1"]);
});
