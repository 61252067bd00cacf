import { expect, suite, test } from "vitest";
import { families, familyAt, familyView, metricNames } from "../../src/ui/metric-lines";

const EVALUATIONS = [
  { step: 10, metrics: { val_loss: 2, val_accuracy: 0, train_accuracy: 0.5 } },
  { step: 20, metrics: { val_loss: 1.5 } },
  { step: 30, metrics: { val_loss: 1, val_accuracy: 0.25, train_accuracy: 0.75 } },
];

suite("metrics of evaluations", () => {
  test("those of training and of held-out data belong over each other", () => {
    expect(families(EVALUATIONS)).toEqual(["loss", "accuracy"]);
    expect(metricNames(EVALUATIONS)).toEqual(["train_accuracy", "val_accuracy", "val_loss"]);
  });

  test("a run that was never evaluated has its loss", () => expect(families([])).toEqual(["loss"]));

  test("stand at their own steps, and nothing between two where one was not evaluated", () => {
    expect(familyView(EVALUATIONS, "accuracy", 0, 30, false)).toEqual({
      x: [10, 20, 30],
      train: [0.5, null, 0.75],
      heldOut: [0, null, 0.25],
    });
    expect(familyView(EVALUATIONS, "accuracy", 11, 30, false).x).toEqual([20, 30]);
  });

  test("a log scale leaves out what it cannot show", () =>
    expect(familyView(EVALUATIONS, "accuracy", 0, 30, true).heldOut).toEqual([null, null, 0.25]));

  test("are told as they were last evaluated", () => {
    expect(familyAt(EVALUATIONS, "accuracy", 29)).toEqual({
      step: 10,
      metrics: [
        ["val_accuracy", 0],
        ["train_accuracy", 0.5],
      ],
    });
    expect(familyAt(EVALUATIONS, "accuracy", 9)).toBeNull();
  });
});
