/**
 * A thread of a drill: loads a module of this folder, with faults planted into the source where a control asks for them,
 * and has it work.
 */
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { runnerImport } from "vite";

/**
 * @typedef {object} PartData
 * @property {string} root
 * @property {string} file of this folder; exports `work`
 * @property {readonly { readonly file: string, readonly from: string, readonly to: string }[]} edits
 * @property {unknown} data what `work` gets, with a function that sends a message
 */
const { root, file, edits, data } = /** @type {PartData} */ (workerData);

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

/** @type {{ readonly module: { readonly work: (data: unknown, post: (message: unknown) => void) => Promise<void> } }} */
const { module } = await runnerImport(join(root, "tests/simulation", file), {
  configFile: false,
  root,
  logLevel: "error",
  plugins: [plugin],
});
if (planted.size !== edits.length) throw new Error("A fault was not planted: its file is not loaded.");
await module.work(data, (message) => parentPort?.postMessage(message));
