/** What a task says of itself, as data: no tfjs and no storage, so that a form can be drawn before a backend is loaded. */
import type { Question } from "../format/question";
import type { ScheduleKind } from "../format/run";

export type FieldValue = number | string | boolean;

interface Labelled {
  readonly name: string;
  readonly label: string;
  readonly help?: string;
  /** Does it say how the data is read? Then it is chosen beside what a person brought, which shows it. */
  readonly readsData?: true;
  /** Is it of the data that the task makes by itself? Then it says nothing where a person brought some. */
  readonly ofMadeUp?: true;
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
    /** Images of classes, which may as well be drawn on the page? */
    readonly canBeDrawn?: true;
  } | null;
  /** What a person may put through its model, if it answers. */
  readonly asks?: Question["kind"];
  /** Is its model a stack of Dense layers, which can be a LayersModel of TensorFlow.js? Then it has `layers`. */
  readonly isLayersModel?: true;
  /** Task settings, `batchSize` among them. The defaults are the `small` preset. */
  readonly fields: readonly Field[];
  readonly presets: Readonly<Record<PresetName, Preset>>;
}
