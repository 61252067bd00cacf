import { fileURLToPath } from "node:url";
import { mergeConfig, defineConfig } from "vite";
import app from "../../vite.config";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The app over made-up runs, built as the app is, and never part of it. */
export default mergeConfig(
  app,
  defineConfig({
    root,
    build: {
      outDir: `${root}.cache/made-up`,
      emptyOutDir: true,
      rolldownOptions: { input: `${root}tests/support/ui.html` },
    },
  }),
);
