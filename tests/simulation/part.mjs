/**
 * A thread of the crash drill: loads the campaign, with faults planted into the source where a control asks for them,
 * and examines images until enough are known. It takes eight seeds at a time of whichever cell has the fewest.
 */
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { runnerImport } from "vite";

/**
 * @typedef {object} PartData
 * @property {string} root
 * @property {readonly { readonly file: string, readonly from: string, readonly to: string }[]} edits
 * @property {number} states how many images are wanted in all
 * @property {number} stopAfter faults
 * @property {SharedArrayBuffer} seen
 * @property {SharedArrayBuffer} next seed of each cell
 * @property {SharedArrayBuffer} done images of each cell, then the total, then the faults
 */
const { root, edits, states, stopAfter, ...shared } = /** @type {PartData} */ (workerData);
const next = new Int32Array(shared.next);
const done = new Int32Array(shared.done);

/** Edits that found their line. */
const planted = new Set();
const plugin = {
  name: "plant",
  enforce: /** @type {const} */ ("pre"),
  /** @param {string} code @param {string} id */
  transform(code, id) {
    let edited = code;
    for (const edit of edits) {
      if (id.split("?")[0] !== join(root, edit.file)) continue;
      if (!edited.includes(edit.from)) throw new Error(`${edit.file} has no line "${edit.from}" any more.`);
      edited = edited.replaceAll(edit.from, edit.to);
      planted.add(edit);
    }
    return edited === code ? null : { code: edited, map: null };
  },
};

/**
 * @template Module
 * @param {string} file
 * @returns {Promise<Module>}
 */
async function load(file) {
  const path = join(root, "tests/simulation", file);
  return (await runnerImport(path, { configFile: false, root, logLevel: "error", plugins: [plugin] })).module;
}

/** @type {typeof import("./campaign.ts")} */
const { Campaign, CELLS, IMAGES_PER_FAILURE } = await load("campaign.ts");
/** @type {typeof import("./seen.ts")} */
const { SharedSeen } = await load("seen.ts");
if (planted.size !== edits.length) throw new Error("A fault was not planted: its file is not loaded.");

const TOTAL = CELLS.length;
const FAULTS = CELLS.length + 1;
const campaign = new Campaign(new SharedSeen(shared.seen));
/** Seeds of a cell in a row that gave nothing new, after which it counts as seen through. */
const SEEN_THROUGH = 4000;
const idle = CELLS.map(() => 0);

while (Atomics.load(done, TOTAL) < states && Atomics.load(done, FAULTS) < stopAfter) {
  let cell = -1;
  for (let at = 0; at < CELLS.length; at++) {
    if ((idle[at] ?? 0) >= SEEN_THROUGH) continue;
    if (cell === -1 || Atomics.load(done, at) < Atomics.load(done, cell)) cell = at;
  }
  const chosen = CELLS[cell];
  if (chosen === undefined) break;
  const from = Atomics.add(next, cell, IMAGES_PER_FAILURE);
  for (let seed = from; seed < from + IMAGES_PER_FAILURE; seed++) {
    const { known, fault } = await campaign.examine({ ...chosen, seed });
    idle[cell] = known ? (idle[cell] ?? 0) + 1 : 0;
    if (known) continue;
    Atomics.add(done, cell, 1);
    Atomics.add(done, TOTAL, 1);
    if (fault === null) continue;
    Atomics.add(done, FAULTS, 1);
    parentPort?.postMessage({ ...chosen, seed, fault });
  }
}
