/** Reading a config that came from outside: checked once against the task's fields, then read by name and kind. */
import { HoldfastError } from "../errors";
import type { Config } from "../format/run";
import { problemsOf, withDefaults } from "./meta";
import type { TaskInfo } from "./meta";

/** A checked config. Each method throws `internal` where the task has no such field of that kind. */
export interface Settings {
  number(name: string): number;
  choice(name: string): string;
  text(name: string): string;
  on(name: string): boolean;
}

/**
 * Checks a config; throws `invalid` with every problem in words. What a run of an older version does not say has its
 * default, which is what was meant before the field was there.
 */
export function settingsOf(info: TaskInfo, given: Config): Settings {
  const config = withDefaults(info, given);
  const problems = problemsOf(info, config);
  if (problems.length > 0) throw new HoldfastError("invalid", problems.join(" "));
  const mistaken = (name: string, kind: string): HoldfastError =>
    new HoldfastError(
      "internal",
      `The task ${info.id} reads "${name}" as a ${kind}, which its fields do not declare.`,
    );
  return {
    number(name) {
      const value = config[name];
      if (typeof value !== "number") throw mistaken(name, "number");
      return value;
    },
    choice(name) {
      const value = config[name];
      if (typeof value !== "string") throw mistaken(name, "choice");
      return value;
    },
    text(name) {
      const value = config[name];
      if (typeof value !== "string") throw mistaken(name, "text");
      return value;
    },
    on(name) {
      const value = config[name];
      if (typeof value !== "boolean") throw mistaken(name, "switch");
      return value;
    },
  };
}
