import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mergeConfig, defineConfig } from "vite";
import app from "../vite.config";

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = fileURLToPath(new URL("pages", import.meta.url));

/** Pages that measure the app's own sources, built as the app is, and never part of it. */
export default mergeConfig(
  app,
  defineConfig({
    root,
    publicDir: false,
    build: {
      outDir: `${root}.cache/bench`,
      emptyOutDir: true,
      rolldownOptions: {
        input: readdirSync(pages)
          .filter((name) => name.endsWith(".html"))
          .map((name) => `${pages}/${name}`),
      },
    },
  }),
);
