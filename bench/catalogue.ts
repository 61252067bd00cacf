/**
 * How soon the list of runs is there: a store with 10,000 checkpoints of 100 runs, a million journaled steps and 1,400
 * packs, opened by the app itself; from the start of the navigation until the rows stand. `--rounds N`, `--runs N`.
 */
import type { BenchResult, RunContext } from "../scripts/lib/context.mjs";
import type { CheckpointRow, RunRow } from "../src/store/tables";
import { openApp, pause, start, waitFor } from "../tests/support/app-page";

const RUNS = 100;
const CHECKPOINTS = 100;
const STEPS = 10_000;
/** A keyframe and those that lean on it. */
const CHECKPOINTS_PER_PACK = 8;
const ROUNDS = 5;
/** So many stand there before one asks for more. */
const FIRST_ROWS = 100;

interface Amounts {
  readonly runs: number;
  readonly checkpoints: number;
  readonly steps: number;
  readonly perPack: number;
}

export async function run({ browser, app, log, options }: RunContext): Promise<BenchResult> {
  const rounds = Number(options.get("rounds") ?? ROUNDS);
  const runs = Number(options.get("runs") ?? RUNS);
  const url = await app();
  const context = await (await browser()).newContext();
  let page = await context.newPage();
  page.setDefaultTimeout(0);
  await openApp(page, url);
  const first = await start(page, {
    task: "spirals",
    preset: "tiny",
    steps: 40,
    policy: { save: { kind: "steps", every: 10 }, draw: false },
  });
  await waitFor(page, first, { step: 20 });
  await pause(page, first);
  // The same origin, without the app.
  await page.goto(new URL("icon.svg", url).href);
  const amounts = { runs, checkpoints: CHECKPOINTS, steps: STEPS, perPack: CHECKPOINTS_PER_PACK };
  const packs = await page.evaluate(fill, amounts);
  log(`${runs} runs, ${runs * CHECKPOINTS} checkpoints, ${runs * STEPS} steps, ${packs} packs`);

  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await page.close();
    page = await context.newPage();
    page.setDefaultTimeout(0);
    await page.goto(`${url}#/`, { waitUntil: "commit" });
    const opened = await page.waitForFunction(
      (count) => document.querySelectorAll("main tbody tr").length >= count && performance.now(),
      Math.min(runs, FIRST_ROWS),
      { polling: "raf" },
    );
    times.push(Number(await opened.jsonValue()) / 1000);
    log(`the list stood after ${times.at(-1)?.toFixed(2) ?? ""} s`);
  }
  const sorted = times.toSorted((a, b) => a - b);
  return { adapter: "none", results: { open_s: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN } };
}

/** Runs in a page. Makes more of the one run that is there, row by row, and empty packs for what the rows name. */
async function fill({ runs, checkpoints, steps, perPack }: Amounts): Promise<number> {
  const answered = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.onsuccess = () => {
        resolve(request.result);
      };
      request.onerror = () => {
        reject(new Error(String(request.error)));
      };
    });
  const nameOf = (number: number) => `p-${number.toString(36).padStart(16, "0")}`;
  const BLOCK = 1024;
  const SIZE = 4096;
  const db = await answered(indexedDB.open("holdfast"));
  const read = async <Row>(table: string) =>
    (await answered(db.transaction(table).objectStore(table).getAll())) as readonly Row[];
  const run = (await read<RunRow>("runs"))[0];
  const checkpoint = (await read<CheckpointRow>("checkpoints")).at(-1);
  if (run === undefined || checkpoint === undefined) throw new Error("There is no run to copy.");
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("packs");
  let packs = 0;
  for (let number = 0; number < runs; number++) {
    const id = `rbench${String(number).padStart(4, "0")}`;
    const own: string[] = [];
    for (let at = 0; at <= checkpoints / perPack; at++) own.push(nameOf(packs++));
    for (const name of own) {
      const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
      await writable.write(new Uint8Array(SIZE));
      await writable.close();
    }
    const tx = db.transaction(["runs", "checkpoints", "journal", "packs", "owners"], "readwrite");
    for (const name of own) tx.objectStore("packs").put({ name, run: id, size: SIZE });
    tx.objectStore("owners").put({ run: id, epoch: 1 });
    for (let at = 0; at < checkpoints; at++) {
      const step = (at + 1) * (steps / checkpoints);
      const names = [own[Math.floor(at / perPack)]];
      const info = { ...checkpoint.info, run: id, step };
      tx.objectStore("checkpoints").put({ ...checkpoint, run: id, step, info, packs: names });
    }
    for (let from = 1; from <= steps; from += BLOCK) {
      const column = () => new Float32Array(Math.min(BLOCK, steps - from + 1)).fill(0.5);
      tx.objectStore("journal").put({ run: id, from, loss: column(), rate: column(), ms: column() });
    }
    const record = { ...run.record, id, name: `run ${number}` };
    tx.objectStore("runs").put({ ...run, id, record, step: steps, steps, checkpoints, log: own.at(-1) });
    await new Promise<void>((resolve, reject) => {
      tx.oncomplete = () => {
        resolve();
      };
      tx.onabort = () => {
        reject(new Error(String(tx.error)));
      };
    });
  }
  db.close();
  return packs;
}
