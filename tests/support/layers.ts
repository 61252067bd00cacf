/**
 * The layers as a table, and the check of files against it. Names are paths in `src` without their extension; a
 * pattern ends in `/*` for all that is under a folder.
 */
import { posix } from "node:path";
import { importsOf, type Import } from "./imports";

interface Layer {
  readonly name: string;
  /** The first layer that lists a file has it, so special files stand before their folder. */
  readonly files: readonly string[];
  /** Layers that may be imported; a layer's own files always may. */
  readonly may: readonly string[];
  /** Layers of which types may be imported beside those. */
  readonly types?: readonly string[];
  /** Packages and the files that may import them; a `type:` before the name allows types only. */
  readonly packages?: Readonly<Record<string, readonly string[]>>;
}

const TFJS = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-webgpu"];

export const LAYERS: readonly Layer[] = [
  { name: "errors", files: ["errors", "version", "excerpt"], may: [] },
  // Plain data: what runs, journals, tensors and checkpoints are, and pure functions on them.
  {
    name: "data",
    files: [
      "format/run",
      "format/rows",
      "format/tensors",
      "format/stored",
      "format/settings",
      "format/picture",
      "format/dataset",
      "format/question",
      "format/answers",
      "format/environment",
      "format/free-name",
      "format/run-id",
      "format/given",
    ],
    may: ["errors"],
  },
  {
    name: "hash",
    files: ["format/running-hash"],
    may: [],
    packages: { "@noble/hashes": ["format/running-hash"] },
  },
  { name: "policy", files: ["policy/*"], may: [], types: ["data"] },
  {
    name: "format",
    files: ["format/*"],
    may: ["errors", "data"],
    packages: { "@bokuweb/zstd-wasm": ["format/zstd"] },
  },
  {
    name: "store",
    files: ["store/*"],
    may: ["errors", "data", "hash"],
    packages: { idb: ["store/catalog", "store/journal"] },
  },
  {
    name: "checkpoint",
    files: ["checkpoint/*"],
    may: ["errors", "data", "hash", "format", "store", "policy"],
  },
  // What leaves the store and comes into it as files; nothing of the store knows of it.
  {
    name: "exchange",
    files: ["exchange/*"],
    may: ["errors", "data", "hash", "format", "store", "policy", "checkpoint"],
  },
  {
    name: "meta",
    files: [
      "tasks/task-info",
      "tasks/meta",
      "tasks/infos/*",
      "tasks/training-fields",
      "tasks/column-settings",
      // A drawing is made ready for training by the page, and for the question by the model.
      "tasks/centred",
    ],
    may: ["errors"],
    types: ["data"],
  },
  {
    name: "engine",
    files: ["engine/*"],
    may: ["errors", "policy", "data"],
    types: ["format", "meta"],
    packages: {
      "@tensorflow/tfjs-core": ["engine/*"],
      "@tensorflow/tfjs-backend-webgpu": ["engine/*"],
      "@tensorflow/tfjs-backend-webgl": ["engine/device"],
      "@tensorflow/tfjs-backend-cpu": ["engine/device"],
    },
  },
  {
    name: "tasks",
    files: ["tasks/*"],
    may: ["errors", "engine", "meta"],
    types: ["data"],
    packages: Object.fromEntries(TFJS.map((name) => [name, ["tasks/*"]])),
  },
  { name: "analysis", files: ["analysis/*"], may: ["errors", "data", "format"] },
  {
    name: "protocol",
    files: ["worker/protocol", "worker/api"],
    may: [],
    types: ["errors", "data", "meta", "analysis", "policy"],
    packages: { "type:comlink": ["worker/*"] },
  },
  {
    name: "wire",
    files: ["worker/wire-errors", "worker/remote", "worker/life", "worker/holder", "worker/job"],
    may: ["errors"],
    types: ["protocol"],
    packages: { comlink: ["worker/*"] },
  },
  {
    name: "storage-client",
    files: ["worker/storage-client", "worker/worker-client", "worker/exchange"],
    may: ["errors", "wire"],
    types: ["protocol"],
    packages: { comlink: ["worker/*"] },
  },
  // What another program has stored in this origin.
  { name: "saved-models", files: ["worker/saved-models"], may: ["errors"], types: ["protocol"] },
  {
    name: "client",
    // The page's side; all else in the folder runs in a worker.
    files: [
      "worker/client",
      "worker/supervisor",
      "worker/holdfast",
      "worker/events",
      "worker/run-here",
      "worker/page-workers",
      "worker/live",
      "worker/own-data",
      "worker/fork-spec",
      "worker/start-spec",
      "worker/steps",
      "worker/storage-watch",
      "worker/wait",
    ],
    may: ["errors", "data", "meta", "wire", "policy", "storage-client", "saved-models"],
    types: ["protocol", "analysis"],
    packages: { comlink: ["worker/*"] },
  },
  {
    name: "workers",
    files: ["worker/*"],
    may: [
      "errors",
      "data",
      "hash",
      "policy",
      "format",
      "store",
      "checkpoint",
      "exchange",
      "engine",
      "tasks",
      "meta",
      "analysis",
      "wire",
      "saved-models",
    ],
    types: ["protocol"],
    packages: { comlink: ["worker/*"], fflate: ["worker/given-files"] },
  },
  // The service worker, and what the page has to do with it. It knows files, and nothing of runs.
  { name: "offline", files: ["offline/*"], may: [] },
  {
    name: "ui",
    files: ["ui/*"],
    may: ["errors", "policy", "meta", "data"],
    types: ["client", "protocol", "analysis", "offline"],
    packages: { svelte: ["ui/*"], uplot: ["ui/Chart", "ui/LinesChart"] },
  },
  {
    name: "main",
    files: ["main"],
    may: ["errors", "ui", "client", "offline"],
    types: ["protocol"],
    packages: { svelte: ["main"] },
  },
  {
    name: "library",
    // The page of somebody else: no task, no screen, no trainer worker.
    files: ["library/*"],
    may: ["errors", "data", "policy", "format", "exchange", "engine", "wire", "storage-client"],
    types: ["protocol"],
    packages: { comlink: ["library/*"], "@tensorflow/tfjs-core": ["library/optimized"] },
  },
  { name: "index", files: ["index", "tfjs", "optimizers", "bundles"], may: ["*"] },
];

/** Path in `src`, with extension → text. */
export type Sources = ReadonlyMap<string, string>;

/** `ui/run-state.svelte.ts` is imported as `./run-state.svelte`, and a component by its full name: one stem for all. */
function stem(path: string): string {
  return path.replace(/\.ts$/, "").replace(/\.svelte$/, "");
}

function matches(file: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("/*") ? file.startsWith(pattern.slice(0, -1)) : file === pattern,
  );
}

function layerOf(file: string): Layer | undefined {
  return LAYERS.find(({ files }) => matches(file, files));
}

function isRelative(target: string): boolean {
  return target.startsWith(".");
}

function resolve(sources: Sources, from: string, target: string): string {
  const path = stem(posix.join(posix.dirname(from), target));
  return sources.has(`${path}/index.ts`) ? `${path}/index` : path;
}

/** `@scope/name/file` → `@scope/name`; `name/file` → `name`. */
function packageOf(target: string): string {
  return target.split("/", target.startsWith("@") ? 2 : 1).join("/");
}

function problem(sources: Sources, file: string, layer: Layer, { kind, target }: Import): string | undefined {
  if (kind === "unknown") return `${file} imports ${target}, which is computed: write its name`;
  if (!isRelative(target)) {
    const name = packageOf(target);
    const value = matches(file, layer.packages?.[name] ?? []);
    const type = kind === "type" && matches(file, layer.packages?.[`type:${name}`] ?? []);
    return value || type ? undefined : `${file} (${layer.name}) must not import the package ${name}`;
  }
  if (target.endsWith(".css")) return undefined;
  const other = resolve(sources, file, target);
  const layerThere = layerOf(other);
  if (layerThere === undefined) return `${file} imports ${other}, which is in no layer`;
  if (kind === "worker") {
    const allowed = /client$/.test(layer.name) && other.endsWith(".worker");
    return allowed ? undefined : `${file} (${layer.name}) must not start ${other} as a worker`;
  }
  if (layerThere === layer || layer.may.includes("*") || layer.may.includes(layerThere.name))
    return undefined;
  const types = layer.types?.includes(layerThere.name) === true;
  if (types && kind === "type") return undefined;
  return `${file} (${layer.name}) must not import ${types ? "values of " : ""}${other} (${layerThere.name})`;
}

/** Every import that the table does not allow, and every file without a layer; one line each. */
export function violations(sources: Sources): readonly string[] {
  const found: string[] = [];
  for (const [path, text] of sources) {
    const file = stem(path);
    const layer = layerOf(file);
    if (layer === undefined) {
      found.push(`${file} is in no layer: add it to the table`);
      continue;
    }
    for (const one of importsOf(path, text)) {
      const line = problem(sources, file, layer, one);
      if (line !== undefined) found.push(line);
    }
  }
  return found;
}

/** All that `entry` loads into its own thread: files by their stem, packages as `package:name`. */
export function reach(sources: Sources, entry: string): ReadonlySet<string> {
  const byStem = new Map([...sources].map(([path, text]) => [stem(path), { path, text }]));
  const seen = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const source = byStem.get(file);
    if (source === undefined) continue;
    for (const { kind, target } of importsOf(source.path, source.text)) {
      if (kind !== "value") continue;
      if (isRelative(target)) waiting.push(resolve(sources, file, target));
      else seen.add(`package:${packageOf(target)}`);
    }
  }
  return seen;
}

/** Files that import values or types from each other in a circle, as `a → b → a`. */
export function cycles(sources: Sources): readonly string[] {
  const found = new Map<string, string>();
  const done = new Set<string>();
  const files = new Map([...sources].map(([path, text]) => [stem(path), importsOf(path, text)]));
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) {
      const circle = trail.slice(start);
      found.set([...circle].sort().join(), [...circle, file].join(" → "));
      return;
    }
    if (done.has(file)) return;
    for (const { kind, target } of files.get(file) ?? []) {
      if (kind !== "worker" && isRelative(target)) visit(resolve(sources, file, target), [...trail, file]);
    }
    done.add(file);
  };
  for (const file of files.keys()) visit(file, []);
  return [...found.values()];
}
