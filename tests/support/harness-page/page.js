/**
 * The smallest thing that can die like a training run: a worker that counts into an OPFS file and keeps a GPU
 * busy. `start()` and `stored()` are called by the test.
 */
const state = { count: -1, /** @type {string | null} */ lost: null, gpu: false };

/** Starts the worker; resolves with the count that it found on disk. */
function start() {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("error", (event) => reject(new Error(event.message)));
    worker.addEventListener("message", ({ data }) => {
      if (data.kind === "found") resolve(data.count);
      else if (data.kind === "count") state.count = data.count;
      else if (data.kind === "gpu") state.gpu = true;
      else if (data.kind === "lost") state.lost = data.reason;
    });
  });
}

Object.assign(globalThis, { harness: { state, start } });
