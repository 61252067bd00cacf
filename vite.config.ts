import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";
import { HEADERS, META_POLICY } from "./scripts/lib/csp.mjs";
import { offline } from "./scripts/lib/offline.mjs";

/** Only in the built page: the development server injects inline scripts of its own. */
function contentSecurityPolicy(): Plugin {
  return {
    name: "content-security-policy",
    apply: "build",
    transformIndexHtml: () => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: META_POLICY },
        injectTo: "head-prepend",
      },
    ],
  };
}

export default defineConfig({
  // Relative, so that the build runs from any path on any static host.
  base: "./",
  plugins: [svelte({ configFile: false }), contentSecurityPolicy(), offline("src/offline/service-worker.ts")],
  worker: { format: "es" },
  build: {
    target: "es2023",
    // The policy forbids `fetch("data:…")`, so wasm must stay a file.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000, // kB; tfjs is one chunk of the trainer worker
  },
  // It finds its wasm file beside itself, and a pre-bundled copy lies elsewhere.
  optimizeDeps: { exclude: ["@bokuweb/zstd-wasm"] },
  server: { host: "127.0.0.1" },
  preview: { host: "127.0.0.1", headers: HEADERS },
});
