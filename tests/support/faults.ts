/**
 * Faults planted into a build of the app, to see the exactness matrix fail. Each replaces a line of the source while
 * it is built; a line that is no longer there is an error, so a control cannot go quiet unnoticed.
 */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "vite";
import type { Cell } from "./exactness";

export interface Fault {
  readonly name: string;
  readonly file: string;
  readonly edits: readonly (readonly [from: string, to: string])[];
  /** Where it must show. */
  readonly cell: Cell;
}

const SPIRALS: Cell = { task: "spirals", optimizer: "adamw", death: "page closed", nearChange: false };

export const FAULTS: readonly Fault[] = [
  {
    // What tfjs does: powers of β are multiplied up step by step in float32, and recomputed by `pow` on a restore.
    name: "tfjs's own Adam restore",
    file: "src/engine/optimizers/adam.ts",
    edits: [
      [
        "const constants = new Constants();",
        `const constants = new Constants();
         let held = { t: -1, one: 1, two: 1 };
         const powers = (t) => {
           if (held.t !== t - 1) held = { t: t - 1, one: Math.fround(Math.pow(beta1, t - 1)), two: Math.fround(Math.pow(beta2, t - 1)) };
           held = { t, one: Math.fround(held.one * Math.fround(beta1)), two: Math.fround(held.two * Math.fround(beta2)) };
           return held;
         };`,
      ],
      [
        "const root = Math.sqrt(1 - wholePower(beta2, t));",
        "const { one, two } = powers(t); const root = Math.sqrt(1 - two);",
      ],
      ["(1 - wholePower(beta1, t))", "(1 - one)"],
    ],
    cell: SPIRALS,
  },
  {
    name: "gather embeddings",
    file: "src/tasks/transformer.ts",
    edits: [
      [
        'const tokens = tf.matMul(this.oneHot(ids), parameter(params, "embedding/token"));',
        'const tokens = tf.gather(parameter(params, "embedding/token"), tf.reshape(ids, [-1]));',
      ],
    ],
    // 4,096 look-ups a step into a table of a few dozen rows: several threads add to the same row at once.
    cell: {
      task: "text",
      optimizer: "sgd",
      death: "page closed",
      nearChange: false,
      config: { context: 64, batchSize: 64, layers: 1, heads: 1, headWidth: 16, dropout: 0 },
    },
  },
  {
    name: "dropout from Math.random",
    file: "src/engine/tfjs.ts",
    edits: [
      [
        "{ seed: this.#seed, stream: `dropout/${layer}`, step, rate }",
        "{ seed: Math.floor(Math.random() * 2 ** 32), stream: `dropout/${layer}`, step, rate }",
      ],
    ],
    cell: SPIRALS,
  },
  {
    name: "a dropped event",
    file: "src/worker/trainer.ts",
    edits: [["events: detail.events,", 'events: detail.events.filter(({ kind }) => kind !== "changed"),']],
    // Without the change, what comes after the replayed steps is trained at the old rate.
    cell: { ...SPIRALS, nearChange: true },
  },
];

/** Builds the app with the fault in it; returns the folder, for the caller to remove. */
export async function buildWith(fault: Fault): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "holdfast-fault-"));
  const planted = new Set<string>();
  const plugin = (): Plugin => ({
    name: "planted-fault",
    enforce: "pre",
    transform(code, id) {
      if (!id.split("?")[0]?.endsWith(fault.file)) return null;
      let changed = code;
      for (const [from, to] of fault.edits) {
        if (!changed.includes(from))
          throw new Error(`The fault "${fault.name}" finds no "${from}" in ${fault.file}.`);
        planted.add(from);
        changed = changed.replaceAll(from, () => to);
      }
      return changed;
    },
  });
  const root = fileURLToPath(new URL("../..", import.meta.url));
  await build({
    root,
    logLevel: "error",
    plugins: [plugin()],
    worker: { plugins: () => [plugin()] },
    build: { outDir, emptyOutDir: true },
  });
  if (planted.size !== fault.edits.length) throw new Error(`The fault "${fault.name}" was not planted.`);
  return outDir;
}
