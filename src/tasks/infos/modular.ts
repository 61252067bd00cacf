import type { TaskInfo } from "../task-info";
import { BATCH_SIZE } from "./shared";

/** Addition modulo a number: learnt by heart first, understood much later. */
export const MODULAR: TaskInfo = {
  id: "modular",
  title: "Modular addition",
  summary: "Sums on a clock: a network learns them by heart and then, much later and suddenly, the rule.",
  mathVersion: 1,
  file: null,
  fields: [
    {
      name: "modulus",
      label: "Hours of the clock (p)",
      help: "There are p × p sums.",
      kind: "integer",
      default: 59,
      min: 5,
      max: 211,
    },
    {
      name: "share",
      label: "Sums to learn from",
      help: "The others are held out. Fewer make the wait longer; with too few the rule is never found.",
      kind: "number",
      default: 0.4,
      min: 0.05,
      max: 0.95,
      unit: "of all",
    },
    {
      name: "embedding",
      label: "Width of a number",
      help: "Numbers that stand for each hour.",
      kind: "integer",
      default: 48,
      min: 2,
      max: 512,
      unit: "numbers",
    },
    { name: "width", label: "Hidden neurons", kind: "integer", default: 192, min: 2, max: 2048 },
    {
      name: "activation",
      label: "Activation",
      kind: "choice",
      default: "relu",
      options: [
        { value: "relu", label: "ReLU: the classic wait" },
        { value: "square", label: "Square: finds the rule sooner" },
      ],
    },
    { ...BATCH_SIZE, default: 512 },
  ],
  presets: {
    tiny: {
      config: { modulus: 23, share: 0.6, embedding: 16, width: 64, activation: "square", batchSize: 128 },
      steps: 900,
      learningRate: 0.01,
      weightDecay: 1,
      schedule: "constant",
      saveEvery: 50,
    },
    small: {
      config: {},
      steps: 3000,
      learningRate: 0.005,
      weightDecay: 1,
      schedule: "constant",
      saveEvery: 100,
    },
    medium: {
      config: { modulus: 97, share: 0.35, embedding: 96, width: 512, batchSize: 512 },
      steps: 20000,
      learningRate: 0.002,
      weightDecay: 1,
      schedule: "constant",
      saveEvery: 250,
    },
  },
};
