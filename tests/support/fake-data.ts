/** Believable numbers, pictures and checkpoints for screens that have no trainer behind them. */
import type {
  CheckpointInfo,
  ColumnFacts,
  Config,
  DataPreview,
  Health,
  Picture,
  Question,
  RowExample,
  RunHealth,
} from "../../src/worker/protocol";

function noise(at: number): number {
  const value = Math.sin(at * 12.9898) * 43758.5453;
  return value - Math.floor(value) - 0.5;
}

export function lossOf(task: string, step: number): number {
  const text = task === "text";
  const base = text ? 1.38 + 2.77 * Math.exp(-step / 210) : 0.02 + 0.67 * Math.exp(-step / 260);
  return Math.max(0.001, base + noise(step) * (text ? 0.3 : 0.06));
}

const STALL = { stall: 0.2, held: 0.3, readBack: 11, encode: 40, write: 6, commit: 4 };

export function checkpointOf(
  run: string,
  task: string,
  step: number,
  time: number,
  reason: CheckpointInfo["reason"],
): CheckpointInfo {
  const digest = Array.from({ length: 64 }, (_, at) =>
    Math.floor(Math.abs(noise(step * 64 + at)) * 32)
      .toString(16)
      .slice(-1),
  ).join("");
  const rawBytes = task === "text" ? 5_270_000 : 104_000;
  const loss = step === 0 ? null : lossOf(task, step);
  return {
    run,
    step,
    time,
    reason,
    loss,
    metrics: loss === null ? {} : { loss, val_loss: loss * 1.09, val_accuracy: 1 - loss / 6 },
    digest,
    rawBytes,
    storedBytes: Math.round(rawBytes * 0.83),
    check: "verified",
    times: STALL,
    rehearsed:
      step % 3 === 0
        ? { time: time + 240_000, from: step, to: step + 16, proof: "losses", failure: null, ms: 900 }
        : null,
  };
}

export function boundaryPicture(step: number): Picture {
  const size = 56;
  const extent = 1.2;
  const sharpness = Math.min(12, 1 + step / 60);
  const grid = new Float32Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const x = (column / (size - 1) - 0.5) * 2 * extent;
      const y = (0.5 - row / (size - 1)) * 2 * extent;
      const phase = Math.atan2(y, x) - Math.hypot(x, y) * 1.5 * 2 * Math.PI;
      grid[row * size + column] = 1 / (1 + Math.exp(sharpness * Math.cos(phase)));
    }
  }
  const points = new Float32Array(400 * 3);
  for (let at = 0; at < 400; at++) {
    const radius = 0.08 + 0.92 * (at / 400);
    const angle = 2 * Math.PI * 1.5 * radius + Math.PI * (at % 2);
    points.set(
      [
        radius * Math.cos(angle) + noise(at) * 0.07,
        radius * Math.sin(angle) + noise(at + 999) * 0.07,
        at % 2,
      ],
      at * 3,
    );
  }
  return { step, panels: [{ kind: "boundary", title: "Decision boundary", size, grid, extent, points }] };
}

/** Of whatever was brought. */
export function madeUpPreview(task: string, config: Config = {}): DataPreview {
  const isWrong = task === "table" && config["problem"] === "regression";
  return {
    ...(isWrong && {
      problem:
        "The target “sex” holds no numbers; a regression needs numbers that differ. Choose classification, or another target.",
    }),
    notes: [`${task === "text" ? "1,115,394 characters, 65 different ones" : "344 rows"}.`],
    panels: task === "text" ? textPicture(0).panels.slice(1) : [],
    ...(task === "table" && { columns: madeUpColumns(config) }),
  };
}

function madeUpColumns(config: Config): readonly ColumnFacts[] {
  const number = { kind: "number", missing: 2 } as const;
  const notes = ["2 rows without a number: the mean stands in for it, and an input of its own says so."];
  const areClasses = config["target"] === "bill_length_mm" && config["problem"] === "classification";
  return [
    {
      name: "ring",
      kind: "ignored",
      why: "counts the rows",
      missing: 0,
      distinct: 344,
      examples: ["1", "2", "3"],
    },
    {
      name: "species",
      kind: "category",
      missing: 0,
      distinct: 3,
      examples: ["Adelie", "Chinstrap", "Gentoo"],
    },
    {
      name: "bill_length_mm",
      ...number,
      distinct: 164,
      examples: ["39.1", "39.5", "40.3"],
      notes: areClasses
        ? [
            "2 rows without a value of it are left out.",
            "164 different values: the rarest 100 are taken together as “(others)”.",
            "Its values are decimal numbers: regression suits them better.",
          ]
        : notes,
    },
    { name: "body_mass_g", ...number, distinct: 94, examples: ["3750", "3800", "3250"], notes },
    { name: "year", kind: "number", missing: 0, distinct: 3, examples: ["2007", "2008", "2009"] },
    {
      name: "sex",
      kind: "category",
      missing: 11,
      distinct: 2,
      examples: ["MALE", "FEMALE"],
      notes: ["11 rows without a value of it are left out."],
    },
  ];
}

export function textPicture(step: number): Picture {
  const heldOut =
    "KING HENRY:\nWhat say you to the morn, that we should stand\nAnd bear the heavy matter of the state?";
  return {
    step,
    panels: [
      {
        kind: "text",
        title: "Sample",
        note: "from a new line, temperature 0.8",
        text: "KING HENRY:\nWhat say you to the morn, that we should stand\nAnd bear the heavy matter of the state?\n\nGLOUCESTER:\nMy lord, the hour is come; the",
      },
      {
        kind: "text",
        title: "Held-out text",
        note: "the redder, the less it was expected",
        text: heldOut,
        losses: Float32Array.from(heldOut, (_, at) => Math.max(0, (noise(at) + 0.2) * 5)),
      },
    ],
  };
}

/** Of a table of birds. */
export const ROW: RowExample = {
  row: 17,
  of: 60,
  cells: { ring: "A117", site: "estuary", bill_mm: "", wing_mm: "128", species: "dunlin" },
  target: "species",
  fields: [
    { name: "site", kind: "category", canBeMissing: true, values: ["beach", "estuary"], rare: "pier" },
    { name: "bill_mm", kind: "number", canBeMissing: true, values: [], rare: null },
    { name: "wing_mm", kind: "number", canBeMissing: false, values: [], rare: null },
  ],
};

export function answerPicture(question: Question, step: number): Picture {
  if (question.kind === "row") {
    const share = Number(question.cells["wing_mm"]) / 150;
    const bars = [
      { name: "dunlin", value: share },
      { name: "turnstone", value: 1 - share },
    ];
    return { step, panels: [{ kind: "bars", title: "species, as predicted", bars }] };
  }
  if (question.kind === "image") {
    const bars = [7, 1, 9].map((digit, i) => ({ name: String(digit), value: 0.9 / 8 ** i }));
    return { step, panels: [{ kind: "bars", title: "It sees", bars }] };
  }
  const { prompt, temperature, characters, seed } = question;
  const words = ["the ", "king ", "hath ", "morn ", "stand ", "matter ", "of ", "lord ", "come, "];
  const drawn = Array.from({ length: characters }, (_, at) =>
    words.at(Math.floor((noise(at + 7 * step + 31 * seed) + 0.5) * words.length)),
  );
  const from = prompt === "" ? "a new line" : `“${prompt}”`;
  return {
    step,
    panels: [
      {
        kind: "text",
        title: "It writes",
        note: `from ${from}, temperature ${temperature}`,
        text: drawn.join("").slice(0, characters),
      },
    ],
  };
}

/** Of a run with three checkpoints and five steps after the last one. */
export function runHealth(more: Partial<RunHealth> = {}): RunHealth {
  const checkpoints = [0, 10, 20].map((step) => ({
    ...checkpointOf("r1", "spirals", step, 1000 * step, "policy"),
    tier: step === 0 ? ("archive" as const) : ("recent" as const),
  }));
  return { run: "r1", name: "Rings", status: "paused", step: 25, checkpoints, ...more };
}

export function healthOf(...runs: readonly RunHealth[]): Health {
  return { runs, audit: { entries: [], broken: [] } };
}
