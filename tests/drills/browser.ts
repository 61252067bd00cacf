/**
 * The store in a real browser, under everything that can happen to one. Each try ends with the same questions: is the
 * newest checkpoint that was acknowledged there, bit for bit, and does the next save work? `--kills N` of a renderer,
 * `--relaunches N` after the whole browser is killed, `--times N` of each other fault, `--seed N`, `--fault NAME` for one.
 */
import type { DrillResult, RunContext } from "../../scripts/lib/context.mjs";
import { faultAfterGpuDeaths } from "../support/gpu-deaths";
import { LiveBrowser } from "../support/kill";
import { spread } from "../support/spread";
import { FAULTS, type StoreFault } from "../support/store-faults";
import { Site } from "../support/store-site";

interface Row {
  readonly name: string;
  readonly tries: number;
  readonly good: number;
  /** What was looked for afterwards, in words. */
  readonly held: string;
}

type Log = (line: string) => void;

export async function run({ options, log, page, app }: RunContext): Promise<DrillResult> {
  const times = Number(options.get("times") ?? 5);
  const counts = {
    kills: Number(options.get("kills") ?? 30),
    relaunches: Number(options.get("relaunches") ?? 10),
  };
  const only = options.get("fault");
  const isAsked = (name: string) => only === undefined || only === name;
  const rows: Row[] = [];
  const add = (row: Row) => {
    rows.push(row);
    log(`${row.name.padEnd(40)} ${`${row.good}/${row.tries}`.padStart(6)}   ${row.held}`);
  };
  for (const fault of FAULTS.filter(({ name }) => isAsked(name))) {
    const tries = fault.count === undefined ? times : counts[fault.count];
    add(await tried(fault, tries, { url: await page("store"), seed: Number(options.get("seed") ?? 1), log }));
  }
  for (const deaths of [1, 2] as const) {
    const name = `GPU process killed ${deaths === 1 ? "once" : "twice"}`;
    if (isAsked(name)) add(await triedGpu(name, deaths, times, { url: await app(), log }));
  }
  const sum = (count: (row: Row) => number) => rows.reduce((all, row) => all + count(row), 0);
  return { done: sum(({ good }) => good), asked: sum(({ tries }) => tries) };
}

async function tried(
  { name, run: inject, onePerson }: StoreFault,
  tries: number,
  { url, seed, log }: { readonly url: string; readonly seed: number; readonly log: Log },
): Promise<Row> {
  const random = spread(seed);
  let good = 0;
  let promised = 0;
  let site: Site | null = null;
  const left = async () => {
    promised += site?.promised ?? 0;
    await site?.close();
    site = null;
  };
  for (let at = 0; at < tries; at++) {
    try {
      site ??= await Site.launch(url);
      const fault = await inject(site, random, at);
      if (fault === null) good++;
      else log(`FAULT  ${name}, try ${at}: ${fault}`);
      if (!onePerson) await left();
    } catch (error) {
      log(`FAULT  ${name}, try ${at}: ${textOf(error)}`);
      await left();
    }
  }
  await left();
  return { name, tries, good, held: `${promised} acknowledged checkpoints` };
}

async function triedGpu(
  name: string,
  deaths: 1 | 2,
  tries: number,
  { url, log }: { readonly url: string; readonly log: Log },
): Promise<Row> {
  let good = 0;
  for (let at = 0; at < tries; at++) {
    const live = await LiveBrowser.launch();
    const fault = await faultAfterGpuDeaths(live, url, deaths).catch(textOf);
    await live.close();
    if (fault === null) good++;
    else log(`FAULT  ${name}, try ${at}: ${fault}`);
  }
  return { name, tries, good, held: `${good} equal digests` };
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
