/**
 * A table of a person's own: a small network learns one column from the others.
 *
 * The data is the CSV file as it was brought. What its columns are, which rows are held out and how cells become
 * inputs follows from it and the settings alone.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { hasCode, HoldfastError } from "../errors";
import { excerpt } from "../excerpt";
import type { Answers } from "../format/answers";
import type { DataPreview } from "../format/dataset";
import type { Panel } from "../format/picture";
import type { Question } from "../format/question";
import type { LossContext, Model, ParameterSpec, Params, SamplePosition, Task } from "../engine/task";
import { COLUMNS, PROBLEM, TARGET } from "./column-settings";
import { columnsOf } from "./columns";
import { csvTable } from "./csv";
import type { CsvTable } from "./csv";
import { crossEntropy, dense, NO_DROPOUT } from "./layers";
import { TABLE } from "./infos/table";
import { remembered } from "./remembered";
import { settingsOf } from "./settings";
import type { Settings } from "./settings";
import { shorebirds } from "./shorebirds";
import { answerPanel, answersOf, meanLoss, metricsOf, outputsOf, resultPanel } from "./table-results";
import type { InputColumn } from "./table-inputs";
import { columnNotes } from "./table-notes";
import { exampleOf, inputsOfCells } from "./table-question";
import { shuffled, tableRows } from "./table-rows";
import type { TableRows } from "./table-rows";
import { valuesOf } from "./values";

const MAX_BYTES = TABLE.file?.maxBytes ?? 0;
/** Held-out rows that an evaluation reads at most; they lie in the order in which they were drawn. */
const EVALUATION_ROWS = 5000;
const PICTURE_ROWS = 500;
/** Columns that are shuffled at most, each at the price of a pass over the picture's rows; and shown at most. */
const MEASURED_COLUMNS = 40;
const SHOWN_COLUMNS = 12;
/** Rows that one submission reads, so that a step need not wait long behind it. */
const ROWS_AT_ONCE = 250;
/** Of a fact that is kept with the run; its record takes 4,096. */
const FACT_CHARACTERS = 1000;
const SEPARATOR_NAMES = { ",": "commas", ";": "semicolons", "\t": "tabs" } as const;

/** The task: an MLP with dropout on a table. */
export const table: Task = {
  info: TABLE,

  generate(config, seed) {
    return shorebirds(settingsOf(TABLE, config).number("rows"), seed);
  },

  preview(bytes, config): DataPreview {
    const settings = settingsOf(TABLE, config);
    const read = readTable(bytes, settings);
    const notesOf = notesIn(bytes, settings);
    const columns = columnsOf(read).map(
      ({ cells: _cells, numberOf: _numberOf, numbers: _numbers, ...facts }) => {
        const notes = notesOf.get(facts.name) ?? [];
        return notes.length === 0 ? facts : { ...facts, notes };
      },
    );
    return {
      notes: [
        `${read.rows} ${read.rows === 1 ? "row" : "rows"} and ${columns.length} columns, separated by ${SEPARATOR_NAMES[read.separator]}.`,
        ...read.notes,
      ],
      panels: [],
      columns,
    };
  },

  inspect(bytes, config) {
    const settings = settingsOf(TABLE, config);
    return factsOf(readTable(bytes, settings), readRows(bytes, settings));
  },

  example(bytes, config, index) {
    return exampleOf(readRows(bytes, settingsOf(TABLE, config)), index);
  },

  build(config, bytes, seed) {
    const settings = settingsOf(TABLE, config);
    return new TableModel(settings, readRows(bytes, settings), seed);
  },
};

const readTable = remembered(
  () => "",
  (bytes) => csvTable(bytes, MAX_BYTES),
);
const readRows = remembered(
  (settings) =>
    JSON.stringify([
      ...[TARGET, COLUMNS].map((name) => settings.text(name)),
      settings.choice(PROBLEM),
      ...["heldOut", "split"].map((name) => settings.number(name)),
    ]),
  (bytes, settings) => tableRows(readTable(bytes, settings), settings),
);

/** None where nothing can be trained on it as it is set, which the check says. */
function notesIn(bytes: Uint8Array<ArrayBuffer>, settings: Settings): ReturnType<typeof columnNotes> {
  try {
    return columnNotes(readRows(bytes, settings));
  } catch (error) {
    if (!hasCode(error, "invalid")) throw error;
    return new Map();
  }
}

/** What is kept with the run. */
function factsOf(
  { rows, notes }: CsvTable,
  { target, columns, ignored, inputs, training, heldOut, withoutTarget }: TableRows,
): ReturnType<Task["inspect"]> {
  return {
    kind: "table",
    rows,
    trainRows: training.length,
    heldOutRows: heldOut.length,
    rowsWithoutTarget: withoutTarget,
    target: listed([target.name]),
    problem: target.kind === "class" ? "classification" : "regression",
    ...(target.kind === "class" && { classes: listed(target.classes) }),
    ...(target.kind === "amount" && { targetMean: target.mean, targetSpread: target.spread }),
    columns: listed(columns.map(({ name }) => name)),
    inputs,
    ignored: listed(ignored.map(({ name, why }) => (why === undefined ? name : `${name} (${why})`))),
    notes: listed(notes, " "),
  };
}

function listed(parts: readonly string[], between = ", "): string {
  return excerpt(parts.join(between), FACT_CHARACTERS);
}

class TableModel implements Model {
  readonly parameters: readonly ParameterSpec[];
  readonly samplesPerEpoch: number;
  readonly #rows: TableRows;
  readonly #outputs: number;
  readonly #layers: number;
  readonly #dropout: number;
  readonly #activate: (x: Tensor) => Tensor;
  readonly #seed: number;

  constructor(settings: Settings, rows: TableRows, seed: number) {
    const { target, training, inputs } = rows;
    const smooth = settings.choice("activation") === "tanh";
    this.#rows = rows;
    this.#outputs = outputsOf(target);
    this.#layers = settings.number("layers");
    this.#dropout = settings.number("dropout");
    this.#activate = smooth ? tf.tanh : tf.relu;
    this.#seed = seed;
    this.parameters = parametersOf(inputs, this.#layers, settings.number("width"), this.#outputs, smooth);
    this.samplesPerEpoch = training.length;
  }

  batch(samples: readonly SamplePosition[]): readonly Tensor[] {
    const rows = Uint32Array.from(samples, ({ index }) => this.#rows.training[index] ?? 0);
    return [this.#inputsOf(rows), this.#targetsOf(rows)];
  }

  loss(params: Params, batch: readonly Tensor[], context: LossContext): Scalar {
    const [inputs, targets] = batch;
    if (!inputs || !targets)
      throw new HoldfastError("internal", "A batch of a table is two tensors: inputs and targets.");
    const outputs = this.#forward(params, inputs, context);
    return this.#rows.target.kind === "class"
      ? crossEntropy(outputs, tf.reshape(targets, outputs.shape))
      : tf.mean(tf.squaredDifference(outputs, targets));
  }

  async evaluate(params: Params): Promise<Readonly<Record<string, number>>> {
    const rows = this.#rows.heldOut.subarray(0, EVALUATION_ROWS);
    return metricsOf(this.#rows.target, await this.#outputsOf(params, rows), rows);
  }

  async answers(params: Params): Promise<Answers> {
    const rows = this.#rows.heldOut.subarray(0, EVALUATION_ROWS);
    return answersOf(this.#rows, await this.#outputsOf(params, rows), rows);
  }

  async picture(params: Params, step: number): ReturnType<Model["picture"]> {
    const rows = this.#rows.heldOut.subarray(0, PICTURE_ROWS);
    const outputs = await this.#outputsOf(params, rows);
    const importance = await this.#importance(params, rows, meanLoss(this.#rows.target, outputs, rows));
    return { step, panels: [resultPanel(this.#rows.target, outputs, rows), importance] };
  }

  async respond(params: Params, question: Question): Promise<readonly Panel[]> {
    if (question.kind !== "row") throw new HoldfastError("invalid", "This model is asked with a row.");
    const { target, inputs } = this.#rows;
    const values = inputsOfCells(this.#rows, question.cells);
    const outputs = await valuesOf(() => this.#forward(params, tf.tensor2d(values, [1, inputs]), NO_DROPOUT));
    return [answerPanel(target, outputs)];
  }

  dispose(): void {
    // Holds no tensors: rows are made into inputs as they are read.
  }

  #forward(params: Params, inputs: Tensor, context: LossContext): Tensor2D {
    let x = inputs;
    for (let layer = 0; layer < this.#layers; layer++) {
      const active = this.#activate(dense(params, `hidden${layer}`, x));
      x = context.dropout(active, `hidden${layer}`, this.#dropout);
    }
    return dense(params, "output", x);
  }

  /** [rows, inputs]; the cells of `instead.column` are those of `instead.rows`. */
  #inputsOf(
    rows: Uint32Array,
    instead?: { readonly column: InputColumn; readonly rows: Uint32Array },
  ): Tensor2D {
    const { columns, inputs } = this.#rows;
    const values = new Float32Array(rows.length * inputs);
    let offset = 0;
    for (const column of columns) {
      const from = column === instead?.column ? instead.rows : rows;
      for (const [i, row] of from.entries()) column.write(row, values, i * inputs + offset);
      offset += column.inputs;
    }
    return tf.tensor2d(values, [rows.length, inputs]);
  }

  /** [rows, outputs]: which class, or how many spreads from the mean. */
  #targetsOf(rows: Uint32Array): Tensor2D {
    const { target } = this.#rows;
    const values = new Float32Array(rows.length * this.#outputs);
    for (const [i, row] of rows.entries()) {
      if (target.kind === "class") values[i * this.#outputs + at(target.of, row)] = 1;
      else values[i] = (at(target.of, row) - target.mean) / target.spread;
    }
    return tf.tensor2d(values, [rows.length, this.#outputs]);
  }

  /** What the network gives for these rows, [rows, outputs]. */
  async #outputsOf(
    params: Params,
    rows: Uint32Array,
    instead?: { readonly column: InputColumn; readonly rows: Uint32Array },
  ): Promise<Float32Array<ArrayBuffer>> {
    const outputs = new Float32Array(rows.length * this.#outputs);
    for (let first = 0; first < rows.length; first += ROWS_AT_ONCE) {
      const end = first + ROWS_AT_ONCE;
      const swapped = instead && { column: instead.column, rows: instead.rows.subarray(first, end) };
      const part = await valuesOf(() =>
        this.#forward(params, this.#inputsOf(rows.subarray(first, end), swapped), NO_DROPOUT),
      );
      outputs.set(part, first * this.#outputs);
    }
    return outputs;
  }

  /** Permutation importance (Breiman 2001). Columns are shuffled by streams of their own, the same at every step. */
  async #importance(params: Params, rows: Uint32Array<ArrayBuffer>, loss: number): Promise<Panel> {
    const measured = this.#rows.columns.slice(0, MEASURED_COLUMNS);
    const bars: { readonly name: string; readonly value: number }[] = [];
    for (const column of measured) {
      const instead = { column, rows: shuffled(rows, this.#seed, `importance/${column.name}`) };
      const value = meanLoss(this.#rows.target, await this.#outputsOf(params, rows, instead), rows) - loss;
      bars.push({ name: column.name, value });
    }
    bars.sort((a, b) => b.value - a.value);
    const left = this.#rows.columns.length - measured.length;
    const note = `how much the held-out loss rises where one column is shuffled${left > 0 ? `; ${left} columns were not tried` : ""}`;
    return { kind: "bars", title: "What the prediction hangs on", note, bars: bars.slice(0, SHOWN_COLUMNS) };
  }
}

/** Glorot & Bengio 2010 for tanh and the output, He et al. 2015 for ReLU. */
function parametersOf(
  inputs: number,
  layers: number,
  width: number,
  outputs: number,
  smooth: boolean,
): readonly ParameterSpec[] {
  const sizes = [inputs, ...Array.from({ length: layers }, () => width), outputs];
  return sizes.slice(1).flatMap((size, i): readonly ParameterSpec[] => {
    const before = sizes[i] ?? 0;
    const name = i === layers ? "output" : `hidden${i}`;
    return [
      {
        name: `${name}/weight`,
        shape: [before, size],
        init:
          smooth || i === layers
            ? { kind: "uniform", bound: Math.sqrt(6 / (before + size)) }
            : { kind: "normal", std: Math.sqrt(2 / before) },
      },
      { name: `${name}/bias`, shape: [size], init: { kind: "zeros" }, decay: false },
    ];
  });
}

function at(values: { readonly [index: number]: number }, i: number): number {
  return values[i] ?? Number.NaN;
}
