/** The layers, executed: every import of every source file against the table. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, suite, test } from "vitest";
import { cycles, reach, violations } from "./support/layers";

const root = new URL("../src/", import.meta.url);

function readSources(): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const entry of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    const path = entry.replaceAll("\\", "/");
    if (/\.(ts|svelte)$/.test(path)) sources.set(path, readFileSync(new URL(path, root), "utf8"));
  }
  return sources;
}

const sources = readSources();

/** The sources with one file more, or with a line more in one. */
function planted(path: string, line: string): ReadonlyMap<string, string> {
  return new Map([...sources, [path, `${sources.get(path) ?? ""}\n${line}`]]);
}

/** What `entry` loads of the files and packages that match. */
function loaded(entry: string, pattern: RegExp): readonly string[] {
  return [...reach(sources, entry)].filter((name) => pattern.test(name));
}

suite("layers", () => {
  test("imports point down only", () => {
    expect(sources.size).toBeGreaterThan(20);
    expect(violations(sources)).toEqual([]);
  });

  test("no files import each other in a circle", () => {
    expect(cycles(sources)).toEqual([]);
  });

  test("the page loads no tfjs, no storage, no engine", () => {
    expect(
      loaded("main", /^package:(@tensorflow|idb|@bokuweb)|^(engine|store|checkpoint|exchange)\//),
    ).toEqual([]);
    expect(loaded("main", /^ui\/App$/)).toEqual(["ui/App"]);
  });

  test("the library loads no tfjs, no screens, no task and no trainer", () => {
    expect(
      loaded(
        "index",
        /^package:(@tensorflow|svelte|idb)|^(ui|tasks|store|checkpoint|exchange|engine\/tfjs|worker\/(client|train))/,
      ),
    ).toEqual([]);
    expect(loaded("index", /^worker\/storage-client$/)).toEqual(["worker/storage-client"]);
  });

  test("the storage worker loads no tfjs and no engine", () => {
    expect(loaded("worker/storage.worker", /^package:@tensorflow|^(engine|tasks)\//)).toEqual([]);
    expect(loaded("worker/storage.worker", /^package:idb$/)).toEqual(["package:idb"]);
  });

  test("the trainer worker loads no storage and no codec", () => {
    expect(loaded("worker/train.worker", /^package:(idb|@bokuweb)|^(store|checkpoint|exchange)\//)).toEqual(
      [],
    );
    expect(loaded("worker/train.worker", /^package:@tensorflow\/tfjs-core$/)).toEqual([
      "package:@tensorflow/tfjs-core",
    ]);
  });
});

suite("a planted violation is caught", () => {
  const before = violations(sources).length;

  test.each([
    ["a static import upwards", "format/planted.ts", 'import { shouldSave } from "../policy/save";'],
    ["an import for its side effect", "policy/planted.ts", 'import "../store/opfs";'],
    ["a dynamic import", "engine/planted.ts", 'const opfs = await import("../store/opfs");'],
    ["a dynamic import by a computed name", "engine/planted.ts", "const any = await import(`./${name}`);"],
    ["a re-export", "store/planted.ts", 'export { codec } from "../format/codec";'],
    ["a re-export of everything", "store/planted.ts", 'export * from "../format/codec";'],
    ["a value where types are allowed", "engine/planted.ts", 'import { TASKS } from "../tasks/meta";'],
    ["a value among types", "engine/planted.ts", 'import { type TaskInfo, TASKS } from "../tasks/meta";'],
    [
      "a type from a layer that is not listed",
      "format/planted.ts",
      'import type { Task } from "../engine/task";',
    ],
    ["a type by import()", "format/planted.ts", 'type Task = import("../engine/task").Task;'],
    [
      "an import in a component",
      "ui/Planted.svelte",
      '<script lang="ts">import { x } from "../store/opfs";</script>',
    ],
    [
      "a second script of a component",
      "ui/Planted.svelte",
      '<script></script><script module>import "../engine/task";</script>',
    ],
    ["a package in the wrong layer", "ui/planted.ts", 'import { openDB } from "idb";'],
    ["a package in the wrong file of its layer", "store/planted.ts", 'import { openDB } from "idb";'],
    ["a file of a package", "format/planted.ts", 'import x from "@tensorflow/tfjs-core/dist/ops/ops";'],
    ["a type of a package", "policy/planted.ts", 'import type { Tensor } from "@tensorflow/tfjs-core";'],
    ["uPlot outside the chart", "ui/Planted.svelte", '<script>import uPlot from "uplot";</script>'],
    ["tfjs in what forms read", "tasks/meta.ts", 'import { scalar } from "@tensorflow/tfjs-core";'],
    [
      "a worker started by a component",
      "ui/planted.ts",
      'new Worker(new URL("../worker/train.worker.ts", import.meta.url));',
    ],
    ["a built-in of Node", "format/planted.ts", 'import { readFileSync } from "node:fs";'],
    ["a file in no layer", "planted.ts", "export const x = 1;"],
    ["an import of what is in no layer", "ui/planted.ts", 'import { x } from "../planted/thing";'],
  ])("%s", (_name, path, line) => {
    expect(violations(planted(path, line))).toHaveLength(before + 1);
  });

  test.each([
    ["a type where types are allowed", "engine/planted.ts", 'import type { TaskInfo } from "../tasks/meta";'],
    ["types one by one", "engine/planted.ts", 'import { type TaskInfo, type Field } from "../tasks/meta";'],
    ["words in a comment", "format/planted.ts", '// import { x } from "../store/opfs";'],
    ["words in a string", "format/planted.ts", "const text = 'import \"../store/opfs\"';"],
  ])("and %s is not", (_name, path, line) => {
    expect(violations(planted(path, line))).toHaveLength(before);
  });

  test("a circle", () => {
    const circle = new Map([
      ["format/a.ts", 'import "./b";'],
      ["format/b.ts", 'import "./c";'],
      ["format/c.ts", 'import "./b";'],
    ]);
    expect(cycles(circle)).toEqual(["format/b → format/c → format/b"]);
  });

  test("a circle that types alone close", () => {
    const circle = new Map([
      ["worker/a-client.ts", 'import "./b"; new Worker(new URL("./c.worker.ts", import.meta.url));'],
      ["worker/b.ts", 'import type { A } from "./a-client";'],
      // Started, and not imported: what runs in a worker may know who starts it.
      ["worker/c.worker.ts", 'import type { A } from "./a-client";'],
    ]);
    expect(cycles(circle)).toEqual(["worker/a-client → worker/b → worker/a-client"]);
  });

  test("what is loaded by way of another file", () => {
    const chain = new Map([
      ["main.ts", 'import "./ui/a.svelte"; import type { T } from "./ui/d";'],
      ["ui/a.svelte.ts", 'await import("./b");'],
      [
        "ui/b/index.ts",
        'import { tidy } from "@tensorflow/tfjs-core/x"; new URL("../c.ts", import.meta.url);',
      ],
    ]);
    expect([...reach(chain, "main")].sort()).toEqual([
      "main",
      "package:@tensorflow/tfjs-core",
      "ui/a",
      "ui/b/index",
    ]);
  });
});
