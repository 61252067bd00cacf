import { expect, test } from "vitest";
import { metricWords } from "../../src/ui/words";

test("metrics are named as people say them", () => {
  const names = ["val_loss", "val_bits_per_character", "val_rmse", "val_r2"];
  expect(names.map(metricWords)).toEqual([
    "held-out loss",
    "held-out bits per character",
    "held-out RMSE",
    "held-out R²",
  ]);
});
