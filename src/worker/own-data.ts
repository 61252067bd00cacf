/** What a person brings to train on, on its way to the trainer: its paths, its name, and the settings that it is read by. */
import { HoldfastError } from "../errors";
import { given } from "../format/given";
import { taskInfo, withDefaults } from "../tasks/meta";
import type { Config, DataFile } from "./protocol";

/** Each with its path: that of a folder's file begins with the folder. */
export function withPaths(files: File | readonly (File | DataFile)[]): readonly DataFile[] {
  return [files].flat().map((file) => {
    if (!(file instanceof File)) return file;
    return { path: file.webkitRelativePath === "" ? file.name : file.webkitRelativePath, file };
  });
}

/** The file, or the folder that they are of, or how many there are. */
export function nameOfData(files: readonly DataFile[]): string {
  const [first, ...more] = files.map(({ path }) => path.split("/"));
  const name = first?.[0] ?? "";
  const isOne = more.every(([folder]) => folder === name);
  return isOne ? name : `${first?.at(-1)} and ${more.length} more`;
}

/** All settings that may decide how a person's data is read. `invalid` where the task takes none. */
export function dataSettings(task: string, config: Config): Config {
  if (taskInfo(task)?.file == null) throw new HoldfastError("invalid", `The task "${task}" takes no file.`);
  return settingsIn(task, config);
}

/** All settings of a task that may decide what its data is. `invalid` where there is no such task. */
export function settingsIn(task: string, config: Config): Config {
  const info = taskInfo(task);
  if (info === undefined) throw new HoldfastError("invalid", `There is no task "${task}".`);
  return withDefaults(info, { ...info.presets.small.config, ...given(config) });
}
