/** Follows docs/tasks.md to the letter in a copy of `src`, type-checks what came out, and trains it. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, expect, suite, test } from "vitest";
import type * as Index from "../../src/tasks";
import type * as Meta from "../../src/tasks/meta";
import { meanOf, modelOf, openCpu, train } from "./trial";

const ROOT = resolve(import.meta.dirname, "../..");
const HOST: ts.ParseConfigFileHost = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined };
const ADDED = ["line.ts", "infos/line.ts", "meta.ts", "index.ts"];
let copy = "";

function tasksFile(name: string): string {
  return join(copy, "src/tasks", name);
}

/** Puts `added` before `mark`, which the file must hold once. */
async function insertBefore(name: string, mark: string, added: string): Promise<void> {
  const source = await readFile(tasksFile(name), "utf8");
  expect(source.split(mark), `${name} holds "${mark}" once`).toHaveLength(2);
  await writeFile(
    tasksFile(name),
    source.replace(mark, () => added + mark),
  );
}

beforeAll(async () => {
  // Inside of the project, so that packages are found from there.
  copy = await mkdtemp(join(ROOT, ".adding-a-task-"));
  await cp(join(ROOT, "src"), join(copy, "src"), { recursive: true });
  const page = await readFile(join(ROOT, "docs/tasks.md"), "utf8");
  const [info, index, file, ...more] = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(
    (match) => match[1] ?? "",
  );
  expect(more).toEqual([]);
  await writeFile(tasksFile("infos/line.ts"), info ?? "");
  await insertBefore("meta.ts", "import { MODULAR } from", 'import { LINE } from "./infos/line";\n');
  await insertBefore("meta.ts", "];\n\n/** The task of that id", ", LINE");
  await insertBefore("index.ts", "};\n\n/** Loads the task", index ?? "");
  await writeFile(tasksFile("line.ts"), file ?? "");
});

afterAll(async () => {
  await rm(copy, { recursive: true, force: true });
});

suite("a task added as docs/tasks.md says", () => {
  test("passes the strict type check", () => {
    const file = ts.getParsedCommandLineOfConfigFile(join(ROOT, "tsconfig.json"), {}, HOST);
    if (!file) throw new Error("tsconfig.json cannot be read.");
    const program = ts.createProgram(ADDED.map(tasksFile), file.options);
    const found = ADDED.flatMap((name) => {
      const source = program.getSourceFile(tasksFile(name));
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    });
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  }, 60_000);

  test("can be chosen, loaded and trained: the loss falls to that of the noise", async () => {
    await openCpu();
    const meta = (await import(/* @vite-ignore */ tasksFile("meta.ts"))) as typeof Meta;
    const index = (await import(/* @vite-ignore */ tasksFile("index.ts"))) as typeof Index;
    const info = meta.taskInfo("line");
    if (!info) throw new Error("TASKS has no line.");
    const task = await index.loadTask("line");
    expect(task.info).toBe(info);
    const model = modelOf(task, meta.withDefaults(info, {}));
    let slope = 0;
    const { losses } = await train(
      model,
      { steps: 60, batchSize: 16, optimizer: { kind: "momentum", learningRate: 0.1, clipNorm: 0 } },
      async (params) => {
        slope = (await model.evaluate(params))["slope"] ?? 0;
      },
    );
    expect(losses[0]).toBeGreaterThan(2);
    expect(meanOf(losses.slice(-10))).toBeLessThan(0.05);
    expect(slope).toBeGreaterThan(1);
    model.dispose();
  });

  test("control: without its entry in `index` it cannot be loaded", async () => {
    const { loadTask } = await import("../../src/tasks");
    await expect(loadTask("line")).rejects.toThrow(/There is no task "line"/);
  });
});
