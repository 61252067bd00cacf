/**
 * What can be trained, as data: no tfjs and no storage here, so that a form can be drawn before a backend is
 * loaded. A task is one file in this folder and one entry in `TASKS`.
 */
import type { Question } from "../format/question";
import type { ScheduleKind } from "../format/run";
import { DIGITS } from "./infos/digits";
import { MODULAR } from "./infos/modular";
import { BATCH_SIZE, DROPOUT } from "./infos/shared";
import { TABLE } from "./infos/table";

export type FieldValue = number | string | boolean;

interface Labelled {
  readonly name: string;
  readonly label: string;
  readonly help?: string;
}

export interface NumberField extends Labelled {
  readonly kind: "integer" | "number";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
}

export interface ChoiceField extends Labelled {
  readonly kind: "choice";
  readonly default: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

export interface SwitchField extends Labelled {
  readonly kind: "switch";
  readonly default: boolean;
}

export interface TextField extends Labelled {
  readonly kind: "text";
  readonly default: string;
  /** UTF-16 units. */
  readonly maxLength: number;
}

/** One setting. The form, the check of a config and the documentation are all made from it. */
export type Field = NumberField | ChoiceField | SwitchField | TextField;

export type PresetName = "tiny" | "small" | "medium";

export interface Preset {
  /** What differs from the fields' defaults. */
  readonly config: Readonly<Record<string, FieldValue>>;
  readonly steps: number;
  readonly learningRate: number;
  /** Of AdamW; default 0.01. */
  readonly weightDecay?: number;
  /** Default `cosine`. */
  readonly schedule?: ScheduleKind;
  /** Save every so many steps. */
  readonly saveEvery: number;
}

export interface TaskInfo {
  readonly id: string;
  readonly title: string;
  /** One sentence for people who choose. */
  readonly summary: string;
  /** Raised when the same config and seed give other numbers than before; part of the environment. */
  readonly mathVersion: number;
  /** What the person may bring; null where the task makes its own data only. */
  readonly file: {
    readonly label: string;
    /** What is trained on where nothing is brought, in a sentence. */
    readonly without: string;
    readonly accept: string;
    /** In all, unpacked. */
    readonly maxBytes: number;
    /** More than one file, or a folder? */
    readonly several?: true;
  } | null;
  /** What a person may put through its model, if it answers. */
  readonly asks?: Question["kind"];
  /** Is its model a stack of Dense layers, which can be a LayersModel of TensorFlow.js? Then it has `layers`. */
  readonly isLayersModel?: true;
  /** Task settings, `batchSize` among them. The defaults are the `small` preset. */
  readonly fields: readonly Field[];
  readonly presets: Readonly<Record<PresetName, Preset>>;
}

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
    {
      name: "width",
      label: "Width",
      help: "Neurons in each hidden layer.",
      kind: "integer",
      default: 64,
      min: 1,
      max: 1024,
      unit: "neurons",
    },
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

/** Characters of a text, one after the other; a small transformer learns to write on. */
export const TEXT: TaskInfo = {
  id: "text",
  title: "Text",
  summary: "A small transformer reads a text character by character and learns to write in its manner.",
  mathVersion: 1,
  file: {
    label: "Text files (UTF-8, up to 4 MiB in all), also zipped",
    without: "Without one, the task makes its own text.",
    accept: ".txt,.md,.csv,.zip,.gz,text/*",
    maxBytes: 4 * 1024 * 1024,
    several: true,
  },
  asks: "text",
  fields: [
    {
      name: "context",
      label: "Context",
      help: "How far back the model looks.",
      kind: "integer",
      default: 32,
      min: 4,
      max: 256,
      unit: "characters",
    },
    { name: "layers", label: "Layers", kind: "integer", default: 2, min: 1, max: 12 },
    {
      name: "heads",
      label: "Heads",
      help: "Attention heads in each layer.",
      kind: "integer",
      default: 4,
      min: 1,
      max: 16,
    },
    {
      name: "headWidth",
      label: "Width of a head",
      help: "Heads × width of a head is the width of the model.",
      kind: "integer",
      default: 16,
      min: 2,
      max: 64,
      unit: "numbers",
    },
    {
      name: "activation",
      label: "Activation",
      kind: "choice",
      default: "gelu",
      options: [
        { value: "gelu", label: "GELU: a little better" },
        { value: "relu", label: "ReLU: a little faster" },
      ],
    },
    {
      name: "tied",
      label: "Tie input and output",
      help: "One table of characters for reading and writing: fewer parameters.",
      kind: "switch",
      default: true,
    },
    { ...DROPOUT, default: 0.05 },
    { ...BATCH_SIZE, default: 16 },
    {
      name: "characters",
      label: "Length of the made-up text",
      help: "Used where no file is given.",
      kind: "integer",
      default: 80000,
      min: 2000,
      max: 1000000,
      unit: "characters",
    },
  ],
  presets: {
    tiny: {
      config: {
        context: 16,
        layers: 1,
        heads: 2,
        headWidth: 8,
        activation: "relu",
        dropout: 0.1,
        batchSize: 4,
      },
      steps: 400,
      learningRate: 0.01,
      saveEvery: 50,
    },
    small: { config: {}, steps: 3000, learningRate: 0.003, saveEvery: 100 },
    medium: {
      config: {
        context: 64,
        layers: 4,
        heads: 6,
        headWidth: 24,
        dropout: 0.1,
        batchSize: 32,
        characters: 400000,
      },
      steps: 10000,
      learningRate: 0.001,
      saveEvery: 250,
    },
  },
};

/** Every task, in the order in which people should see them. */
export const TASKS: readonly TaskInfo[] = [SPIRALS, TEXT, TABLE, DIGITS, MODULAR];

/** The task of that id; undefined where there is none. */
export function taskInfo(id: string): TaskInfo | undefined {
  return TASKS.find((info) => info.id === id);
}

/** Settings that no tensor's shape hangs on: a fork may change them. */
export const FREE_SETTINGS: ReadonlySet<string> = new Set([BATCH_SIZE.name, DROPOUT.name]);

/** `config` with the default of each field that it leaves out. Fields that the task does not have stay, to be reported. */
export function withDefaults(
  info: TaskInfo,
  config: Readonly<Record<string, FieldValue>>,
): Record<string, FieldValue> {
  return { ...Object.fromEntries(info.fields.map((field) => [field.name, field.default])), ...config };
}

/** What is wrong with a config: one sentence each, naming field, value and range. Empty where it is complete and right. */
export function problemsOf(info: TaskInfo, config: Readonly<Record<string, unknown>>): readonly string[] {
  const known = new Set(info.fields.map((field) => field.name));
  const names = [...known].join(", ");
  const unknown = Object.keys(config).filter((name) => !known.has(name));
  return [
    ...unknown.map((name) => `"${name}" is not a setting of ${info.title}; its settings are ${names}.`),
    ...info.fields.flatMap((field) =>
      fieldProblems(field, Object.hasOwn(config, field.name) ? config[field.name] : undefined),
    ),
  ];
}

/** Half of a character, which no file and no record can hold. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** What is wrong with one value; empty where it is right. */
export function fieldProblems(field: Field, value: unknown): readonly string[] {
  const found = `${field.label} (${field.name}) is ${value === undefined ? "missing" : show(value)}`;
  switch (field.kind) {
    case "integer":
    case "number": {
      const right = typeof value === "number" && value >= field.min && value <= field.max;
      if (right && (field.kind === "number" || Number.isInteger(value))) return [];
      const what = field.kind === "integer" ? "a whole number" : "a number";
      return [
        `${found}; give ${what} from ${field.min} to ${field.max}${field.unit ? ` ${field.unit}` : ""}.`,
      ];
    }
    case "choice":
      if (field.options.some((option) => option.value === value)) return [];
      return [`${found}; give one of ${field.options.map((option) => `"${option.value}"`).join(", ")}.`];
    case "switch":
      return typeof value === "boolean" ? [] : [`${found}; give true or false.`];
    case "text":
      if (typeof value === "string" && value.length <= field.maxLength && !LONE_SURROGATE.test(value))
        return [];
      return [`${found}; give a text of at most ${field.maxLength} characters.`];
    default:
      field satisfies never;
      return [];
  }
}

function show(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}
