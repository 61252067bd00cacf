/**
 * The price of exactness: our loop without saving against a plain tfjs loop (`tf.train.adam`, default flags, the
 * same model and batch). And what dropout's counter-based masks cost: our loop with them against without.
 */
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";
import type { Measured } from "./pages/exact";

interface Case {
  readonly key: string;
  readonly model: "mlp" | "text_tiny" | "text_small";
  readonly steps: number;
}

const TURNS = 5;
const CASES: readonly Case[] = [
  { key: "mlp", model: "mlp", steps: 20 },
  { key: "text_tiny", model: "text_tiny", steps: 40 },
  { key: "text_small", model: "text_small", steps: 4 },
];
const DROPOUT = 0.1;

export async function run({ browser, page: pageOf, log, options }: RunContext): Promise<BenchResult> {
  const only = options.get("only");
  const url = await pageOf("exact");
  /** A page for each, so that no measurement inherits the memory of another. */
  const measured = async (model: Case["model"], dropout: number, steps: number): Promise<Measured> => {
    const page = await (await browser()).newPage();
    try {
      await page.goto(url);
      await page.waitForFunction(() => "measure" in globalThis);
      const job = { model, dropout };
      return await page.evaluate(([asked, count, turns]) => measure(asked, count, turns), [
        job,
        steps,
        TURNS,
      ] as const);
    } finally {
      await page.close();
    }
  };
  const results: Record<string, number> = {};
  let adapter = "";
  for (const { key, model, steps } of CASES) {
    if (only !== undefined && only !== key) continue;
    const without = await measured(model, 0, steps);
    adapter = without.exact.adapter;
    const exact = median(without.exactRates);
    const plain = median(without.plainRates);
    Object.assign(results, {
      [`parameters_${key}`]: without.exact.parameters,
      [`exact_steps_per_s_${key}`]: exact,
      [`plain_steps_per_s_${key}`]: plain,
      [`ratio_${key}`]: exact / plain,
      [`exact_dispatches_${key}`]: without.exact.dispatches,
      [`plain_dispatches_${key}`]: without.plain.dispatches,
    });
    log(
      `${key}: exact ${exact.toFixed(2)}, plain ${plain.toFixed(2)} steps/s, ratio ${(exact / plain).toFixed(3)}`,
    );
    if (model === "mlp") continue;
    const masked = await measured(model, DROPOUT, steps);
    const share = 1 - median(masked.exactRates) / exact;
    Object.assign(results, {
      [`masked_steps_per_s_${key}`]: median(masked.exactRates),
      [`masked_plain_steps_per_s_${key}`]: median(masked.plainRates),
      [`masked_dispatches_${key}`]: masked.exact.dispatches,
      [`masks_cost_percent_${key}`]: share * 100,
    });
    log(
      `${key}: dropout ${DROPOUT} costs our loop ${(share * 100).toFixed(1)} %, plain one runs ${median(masked.plainRates).toFixed(2)} steps/s`,
    );
  }
  return { adapter, results };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
