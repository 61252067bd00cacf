import { expect, suite, test } from "vitest";
import { taskInfo } from "../../src/tasks/meta";
import type { Config } from "../../src/worker/protocol";
import { dataSettings, nameOfData, settingsIn, withPaths } from "../../src/worker/own-data";
import { codeOf } from "../support/run-samples";

/** As a browser gives one: the path is empty unless its folder was chosen. */
function file(name: string, webkitRelativePath = ""): File {
  return Object.defineProperty(new File([], name), "webkitRelativePath", { value: webkitRelativePath });
}

suite("the paths of a person's files", () => {
  test.each([
    ["one file", file("a.txt"), ["a.txt"]],
    ["several", [file("a.txt"), file("b.txt")], ["a.txt", "b.txt"]],
    ["those of a folder", [file("1.png", "cats/1.png")], ["cats/1.png"]],
    ["what says its path itself", [{ path: "drawn/1.png", file: new Blob() }], ["drawn/1.png"]],
  ])("%s", (_what, files, paths) => {
    expect(withPaths(files).map(({ path }) => path)).toEqual(paths);
  });
});

test.each([
  [["a.csv"], "a.csv"],
  [["pets/cats/1.png", "pets/dogs/1.png"], "pets"],
  [["a.txt", "b.txt", "c.txt"], "a.txt and 2 more"],
  [["cats/1.png", "dogs/1.png"], "1.png and 1 more"],
])("files at %j are called %s", (paths, name) => {
  expect(nameOfData(paths.map((path) => ({ path, file: new Blob() })))).toBe(name);
});

test("data is read by the settings that the task has, where a person gives no others", () => {
  const settings = dataSettings("text", {});
  expect(Object.keys(settings).sort()).toEqual(
    taskInfo("text")
      ?.fields.map(({ name }) => name)
      .sort(),
  );
  expect(dataSettings("text", { context: 9 })).toEqual({ ...settings, context: 9 });
});

test.each(["spirals", "no-such-task"])("%s takes none", async (task) => {
  expect(await codeOf(Promise.resolve().then(() => dataSettings(task, {})))).toBe("invalid");
});

test("a setting that is undefined is as one that is left out", () => {
  expect(settingsIn("text", { context: undefined } as unknown as Config)).toEqual(settingsIn("text", {}));
  expect(() => settingsIn("no-such-task", {})).toThrow("no-such-task");
});
