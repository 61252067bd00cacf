/**
 * How small and how fast states are stored: *text* trained here, its state 1, 10 and 100 steps after a reference, packed
 * by our codec and by others on the same bytes. `--preset tiny|small` (default small), `--rounds N` (default 30).
 */
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";

/** Behind the first steps, in which the moments are still empty. */
const REFERENCE = 20;
const APART = [1, 10, 100] as const;
const ROUNDS = 30;

export async function run({ browser, page: pageOf, log, options }: RunContext): Promise<BenchResult> {
  const preset = options.get("preset") === "tiny" ? "tiny" : "small";
  const rounds = Number(options.get("rounds") ?? ROUNDS);
  const page = await (await browser()).newPage();
  await page.goto(await pageOf("codec"));
  await page.waitForFunction(() => "measureCodec" in globalThis);
  const steps = [REFERENCE, ...APART.map((apart) => REFERENCE + apart)];
  log(`training text ${preset} for ${Math.max(...steps)} steps`);
  const { adapter, stateBytes, codecs, floors } = await page.evaluate(
    ([name, list, count]) => measureCodec(name, list, count),
    [preset, steps, rounds] as const,
  );
  log(
    `states of ${(stateBytes / 1e6).toFixed(2)} MB at steps ${steps.join(", ")}; sizes are relative to raw`,
  );
  const results: Record<string, number> = {};
  for (const [codec, { sizes, encode, decode }] of Object.entries(codecs)) {
    const prefix = codec === "holdfast" ? "" : `${codec}_`;
    for (const [index, apart] of APART.entries())
      results[`${prefix}size_${apart}`] = sizes[index] ?? Number.NaN;
    results[`${prefix}encode_mbps`] = encode;
    results[`${prefix}decode_mbps`] = decode;
  }
  for (const [index, apart] of APART.entries()) results[`floor_${apart}`] = floors[index] ?? Number.NaN;
  return { adapter, results };
}
