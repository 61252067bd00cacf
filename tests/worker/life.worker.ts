import { holdLife } from "../../src/worker/life";

globalThis.addEventListener("message", () => {
  globalThis.close();
});

await holdLife();
globalThis.postMessage("alive");
