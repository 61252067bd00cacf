import type { TaskInfo } from "../task-info";
import { BATCH_SIZE, DROPOUT, WIDTH } from "./shared";

/** Two interleaved spirals in the plane; a small network learns which point is on which. */
export const SPIRALS: TaskInfo = {
  id: "spirals",
  title: "Spirals",
  summary: "Two spirals of points: a small network learns where one ends and the other begins.",
  mathVersion: 1,
  file: null,
  isLayersModel: true,
  fields: [
    {
      name: "points",
      label: "Points",
      help: "A fifth of them is held out to test on.",
      kind: "integer",
      default: 1000,
      min: 50,
      max: 20000,
    },
    {
      name: "turns",
      label: "Turns",
      help: "How often each spiral winds round. More is harder.",
      kind: "number",
      default: 1.5,
      min: 0.25,
      max: 4,
    },
    {
      name: "noise",
      label: "Noise",
      help: "How far points stray from their spiral, as a share of its radius.",
      kind: "number",
      default: 0.03,
      min: 0,
      max: 0.5,
    },
    { name: "layers", label: "Hidden layers", kind: "integer", default: 3, min: 1, max: 8 },
    { ...WIDTH, default: 64 },
    {
      name: "activation",
      label: "Activation",
      kind: "choice",
      default: "tanh",
      options: [
        { value: "tanh", label: "tanh: smooth boundaries" },
        { value: "relu", label: "ReLU: straight pieces" },
      ],
    },
    { ...DROPOUT, default: 0.05 },
    { ...BATCH_SIZE, default: 64 },
  ],
  presets: {
    tiny: {
      config: { points: 400, turns: 1, layers: 2, width: 16, dropout: 0.1, batchSize: 32 },
      steps: 400,
      learningRate: 0.01,
      saveEvery: 50,
    },
    small: { config: {}, steps: 2000, learningRate: 0.01, saveEvery: 100 },
    medium: {
      config: { points: 4000, turns: 2.5, layers: 4, width: 256, activation: "relu", batchSize: 256 },
      steps: 5000,
      learningRate: 0.002,
      saveEvery: 250,
    },
  },
};
