/** Fields that most tasks have. */
import type { NumberField } from "../task-info";

export const BATCH_SIZE = {
  name: "batchSize",
  label: "Batch size",
  help: "Samples that each step learns from. Larger is steadier, and slower per step.",
  kind: "integer",
  min: 1,
  max: 512,
  unit: "samples",
} as const satisfies Omit<NumberField, "default">;

export const WIDTH = {
  name: "width",
  label: "Width",
  help: "Neurons in each hidden layer.",
  kind: "integer",
  min: 1,
  max: 1024,
  unit: "neurons",
} as const satisfies Omit<NumberField, "default">;

export const DROPOUT = {
  name: "dropout",
  label: "Dropout",
  help: "Share of values set to zero at random in training, against learning by heart.",
  kind: "number",
  min: 0,
  max: 0.9,
} as const satisfies Omit<NumberField, "default">;
