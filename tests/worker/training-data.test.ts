import { expect, suite, test } from "vitest";
import { toHex, sha256 } from "../../src/format/bytes";
import type { Task } from "../../src/engine/task";
import { digits } from "../../src/tasks/digits";
import { table } from "../../src/tasks/table";
import { text } from "../../src/tasks/text";
import { TrainingData } from "../../src/worker/training-data";
import { withDefaults } from "../../src/tasks/meta";
import type { Config } from "../../src/worker/protocol";
import { codeOf } from "../support/run-samples";

/** A store that counts how often it is read. */
function store() {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>();
  const read: string[] = [];
  return {
    read,
    hashes: () => [...kept.keys()],
    putData: async (bytes: Uint8Array<ArrayBuffer>) => {
      const hash = toHex(await sha256(bytes));
      kept.set(hash, bytes.slice());
      return hash;
    },
    getData: (hash: string) => {
      read.push(hash);
      const bytes = kept.get(hash);
      if (bytes === undefined) throw new Error("not there");
      return Promise.resolve(bytes.slice());
    },
  };
}

/** Three columns: a name, an amount that is different in each row, and one that is always the same. */
function rows(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => `${["gull", "tern"][i % 2]},${i * 0.7},1`);
  return ["bird,weight,site", ...lines].join("\n");
}

function csv(text: string) {
  return [{ path: "birds.csv", file: new Blob([text]) }];
}

function configOf(changes: Config = {}): Config {
  return withDefaults(table.info, changes);
}

suite("data that a person brought", () => {
  test.each<readonly [what: string, text: string, changes: Config, problem: string]>([
    [
      "a regression of names",
      rows(20),
      { target: "bird", problem: "regression" },
      "The target “bird” holds no numbers; a regression needs numbers that differ. Choose classification, or another target.",
    ],
    [
      "a target of one class",
      rows(20),
      { target: "site", columns: "site=category" },
      "The target “site” has the same value in every row: there is nothing to learn. Choose another one.",
    ],
    [
      "one row",
      rows(1),
      { target: "bird", columns: "bird=category, weight=number" },
      "The target “bird” has the same value in every row",
    ],
    ["few rows", rows(6), { target: "bird" }, "6 rows have a value of “bird”; 10 are needed."],
    [
      "no column to tell the target from",
      rows(20),
      { columns: "bird=ignored" },
      "Only “weight” can be used, and there is nothing to tell it from: bird (ignored), site (always the same). Use another column, or choose another table.",
    ],
    ["no column at all", "a,b\n1,x\n1,x\n", {}, "No column can be used: a (always the same)"],
    ["a column that is not there", rows(20), { target: "colour" }, "which is no column of the table"],
  ])("is kept, and what is wrong with its settings said: %s", async (_, text, changes, problem) => {
    const data = new TrainingData(store());
    const config = configOf(changes);
    const { preview, hash } = await data.add("table", config, csv(text));
    expect(preview.problem).toContain(problem);
    // In the words in which the start refuses it.
    const bytes = new TextEncoder().encode(text);
    expect(() => table.inspect(bytes, config)).toThrow(preview.problem);
    expect((await data.preview("table", config, hash)).problem).toBe(preview.problem);
  });

  test("has no problem where its settings are right, and none any more once they are", async () => {
    const data = new TrainingData(store());
    const wrong = configOf({ target: "bird", problem: "regression" });
    const { preview, hash } = await data.add("table", wrong, csv(rows(20)));
    expect(preview.problem).toBeDefined();
    const mended = await data.preview("table", configOf({ target: "bird" }), hash);
    expect(mended).toEqual({ ...preview, problem: undefined });
    expect(table.inspect(new TextEncoder().encode(rows(20)), configOf({ target: "bird" }))).toMatchObject({
      problem: "classification",
    });
  });

  test("is read once for as long as nothing else is asked for", async () => {
    const kept = store();
    const data = new TrainingData(kept);
    const [first, second] = [rows(20), rows(30)];
    const { hash } = await data.add("table", configOf(), csv(first));
    await data.preview("table", configOf(), hash);
    const bytes = await data.get(hash);
    expect(await data.get(hash)).toBe(bytes);
    expect(kept.read).toEqual([]);
    await data.add("table", configOf(), csv(second));
    expect(await data.get(hash)).toEqual(bytes);
    expect(kept.read).toEqual([hash]);
  });

  test.each([
    ["text", 4],
    ["table", 16],
    ["digits", 128],
  ])(
    "of the task %s is refused beyond %i MiB, with limit and remedy, and nothing of it kept",
    async (task, most) => {
      const kept = store();
      // Only its size is looked at: the file is refused before it is read.
      const file = Object.defineProperty(new Blob(), "size", { value: most * 2 ** 20 + 1 });
      const add = new TrainingData(kept).add(task, {}, [{ path: "large.bin", file }]);
      await expect(add).rejects.toThrow(
        `The data is more than ${most} MiB at "large.bin", unpacked; that is the limit of this task, which holds all of it in memory. Choose a part of it.`,
      );
      expect(await codeOf(add)).toBe("invalid");
      expect(kept.hashes()).toEqual([]);
    },
  );

  test("is refused, and not kept, where it cannot be read at all", async () => {
    const kept = store();
    const add = new TrainingData(kept).add("table", configOf(), csv("a,b,c\n1\n2\n3\n"));
    expect(await codeOf(add)).toBe("invalid");
    expect(kept.hashes()).toEqual([]);
  });
});

suite("data that a task makes by itself", () => {
  const own = new TrainingData(store());

  test.each<readonly [what: string, task: Task, changes: Config, problem: RegExp]>([
    [
      "digits of which a class is held out to the last",
      digits,
      { count: 50, heldOut: 90 },
      /^The class “\d” is left out of the training: all its 5 images are held out\. Add images of it/,
    ],
    [
      "a text that its context is too long for",
      text,
      { characters: 2000, merges: 2000, context: 256 },
      /^The text has \d+ tokens; a context of 256 needs at least 769\. Choose a longer text or a shorter context\.$/,
    ],
    [
      "a column that the made-up table has not",
      table,
      { target: "colour" },
      /which is no column of the table/,
    ],
  ])("is refused before the start, in its words: %s", async (_, task, changes, problem) => {
    const config = withDefaults(task.info, changes);
    const said = await own.madeUpProblem(task.info.id, config, 3);
    expect(said).toMatch(problem);
    expect(() => task.inspect(task.generate(config, 3), config)).toThrow(said ?? "nothing was said");
    // Control: as it comes.
    expect(await own.madeUpProblem(task.info.id, withDefaults(task.info, {}), 3)).toBeNull();
  });
});
