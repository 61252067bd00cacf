import type { TaskInfo } from "../task-info";
import { BATCH_SIZE, DROPOUT, WIDTH } from "./shared";

/** Rows of a table; a small network learns one column from the others. */
export const TABLE: TaskInfo = {
  id: "table",
  title: "Table",
  summary: "A table of your own (CSV): a small network learns to tell one column from the others.",
  mathVersion: 1,
  file: {
    label: "A CSV file with a line of names (UTF-8, up to 16 MiB), also zipped",
    without: "Without one, the task makes up measurements of three species of birds.",
    accept: ".csv,.tsv,.txt,.zip,.gz,text/csv",
    maxBytes: 16 * 1024 * 1024,
  },
  fields: [
    {
      name: "target",
      label: "Target",
      help: "The column to learn; empty: the last that can be used.",
      kind: "text",
      default: "",
      maxLength: 1000,
    },
    {
      name: "problem",
      label: "Problem",
      help: "As it looks: a class where the target is a category or up to 10 whole numbers, else an amount.",
      kind: "choice",
      default: "auto",
      options: [
        { value: "auto", label: "as the target looks" },
        { value: "classification", label: "which class (classification)" },
        { value: "regression", label: "how much (regression)" },
      ],
    },
    {
      name: "columns",
      label: "Columns",
      help: "What they are, where it is guessed wrong: year=category, id=ignored.",
      kind: "text",
      default: "",
      maxLength: 4000,
    },
    {
      name: "heldOut",
      label: "Held out",
      help: "Rows to test on, drawn at random.",
      kind: "integer",
      default: 20,
      min: 1,
      max: 90,
      unit: "percent",
    },
    {
      name: "split",
      label: "Split",
      help: "Another number holds out other rows.",
      kind: "integer",
      default: 0,
      min: 0,
      max: 1_000_000,
    },
    { name: "layers", label: "Hidden layers", kind: "integer", default: 2, min: 1, max: 8 },
    { ...WIDTH, default: 64 },
    {
      name: "activation",
      label: "Activation",
      kind: "choice",
      default: "relu",
      options: [
        { value: "relu", label: "ReLU: straight pieces" },
        { value: "tanh", label: "tanh: smooth" },
      ],
    },
    { ...DROPOUT, default: 0.1 },
    { ...BATCH_SIZE, default: 64 },
    {
      name: "rows",
      label: "Rows of the made-up table",
      ofMadeUp: true,
      kind: "integer",
      default: 600,
      min: 50,
      max: 100000,
      unit: "rows",
    },
  ],
  presets: {
    tiny: {
      config: { layers: 1, width: 16, batchSize: 32, rows: 300 },
      steps: 400,
      learningRate: 0.01,
      saveEvery: 50,
    },
    small: { config: {}, steps: 1000, learningRate: 0.003, saveEvery: 100 },
    medium: {
      config: { layers: 3, width: 256, dropout: 0.2, batchSize: 256, rows: 20000 },
      steps: 5000,
      learningRate: 0.001,
      saveEvery: 250,
    },
  },
};
