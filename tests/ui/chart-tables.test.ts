import { expect, suite, test } from "vitest";
import { histogramOf } from "../../src/analysis/histogram";
import {
  boundaryTable,
  cellsTable,
  familyTable,
  histogramTable,
  linesTable,
  lossTable,
  pointsInPlace,
  surprisesTable,
} from "../../src/ui/chart-tables";
import { LossSeries } from "../../src/ui/loss-series";

function seriesOf(losses: readonly number[], from = 1): LossSeries {
  const series = new LossSeries();
  const rest = { rate: new Float32Array(losses.length), ms: new Float32Array(losses.length) };
  series.append({ from, loss: Float32Array.from(losses), ...rest });
  return series;
}

suite("losses", () => {
  test("a long run is told at steps evenly apart, its first and last among them", () => {
    const { columns, rows } = lossTable(
      seriesOf(Array.from({ length: 10_000 }, (_, at) => 1 / (at + 1))),
      [],
      0,
    );
    expect(columns).toEqual(["step", "loss", "smoothed"]);
    expect(rows).toHaveLength(24);
    expect(rows[0]).toEqual(["1", "1.000", "1.000"]);
    expect(rows.at(-1)).toEqual(["10,000", "1e-4", "1e-4"]);
  });

  test("evaluations stand at their own steps", () => {
    const series = seriesOf(Array.from({ length: 100 }, () => 0.5));
    const { columns, rows } = lossTable(series, [{ step: 50, metrics: { val_loss: 0.75 } }], 0);
    expect(columns.at(-1)).toBe("held-out");
    expect(rows.find(([step]) => step === "50")).toEqual(["50", "0.5000", "0.5000", "0.7500"]);
    expect(rows.filter(([, , , heldOut]) => heldOut !== "–")).toHaveLength(1);
  });

  test("a family of metrics is told evaluation by evaluation, training beside held-out", () => {
    const evaluations = [
      { step: 100, metrics: { train_accuracy: 1, val_accuracy: 0.25, val_loss: 3 } },
      { step: 200, metrics: { val_loss: 2 } },
      { step: 300, metrics: { val_accuracy: 0.5 } },
    ];
    const { columns, rows } = familyTable(evaluations, "accuracy");
    expect(columns).toHaveLength(3);
    expect(rows).toEqual([
      ["100", "1.000", "0.2500"],
      ["300", "–", "0.5000"],
    ]);
  });

  test("a run without a step has none, and a fork begins at its own", () => {
    expect(lossTable(new LossSeries(), [], 0).rows).toEqual([]);
    expect(lossTable(seriesOf([2, 1], 601), [], 0).rows.map(([step]) => step)).toEqual(["601", "602"]);
  });
});

test("lines say nothing before they begin and after they end", () => {
  const lines = [
    { name: "A", x: [1, 2], y: [5, 4] },
    { name: "B", x: [2, 3], y: [3, 2] },
  ];
  expect(linesTable("step", lines, String).rows).toEqual([
    ["1", "5.000", "–"],
    ["2", "4.000", "3.000"],
    ["3", "–", "2.000"],
  ]);
  expect(linesTable("step", [], String).rows).toEqual([]);
});

test("each bin of a histogram has its edges and a count to each side that has the tensor", () => {
  const { columns, rows } = histogramTable(
    histogramOf([Float32Array.of(0, 0, 48), null, Float32Array.of(48)]),
  );
  expect(columns).toEqual(["values", "A", "C"]);
  expect(rows).toHaveLength(48);
  expect(rows[0]).toEqual(["0 to 1.000", "2", "0"]);
  expect(rows.at(-1)).toEqual(["47.00 to 48.00", "1", "1"]);
});

test("a heat map is told cell by cell", () => {
  const image = { rows: 2, columns: 2, tile: null, block: 1, isCut: false, scale: 1, sides: [] };
  expect(cellsTable(image, Float32Array.of(1, -0.5, 0, 0.25))).toEqual({
    columns: ["row", "1", "2"],
    rows: [
      ["1", "1.000", "-0.5000"],
      ["2", "0", "0.2500"],
    ],
  });
});

suite("a boundary", () => {
  // Class 1 is likelier on the right.
  const panel = {
    kind: "boundary" as const,
    title: "Decision boundary",
    size: 2,
    grid: Float32Array.of(0, 1, 0.25, 0.75),
    extent: 1,
    points: Float32Array.of(1, 1, 1, -1, 0.5, 0, 0.9, -1, 0),
  };

  test("is told with y upwards", () => {
    expect(boundaryTable(panel)).toEqual({
      columns: ["y \\ x", "-1.00", "1.00"],
      rows: [
        ["1.00", "0.00", "1.00"],
        ["-1.00", "0.25", "0.75"],
      ],
    });
  });

  test("counts the points on the side of their class", () => {
    expect(pointsInPlace(panel)).toBe(2);
  });
});

test("characters that cannot be seen are named", () => {
  expect(surprisesTable("a \nz", Float32Array.of(0.5, 1, 2)).rows).toEqual([
    ["a", "0.5000"],
    ["space", "1.000"],
    ["\\n", "2.000"],
  ]);
});
