/** Tasks by id, each loaded when it is first asked for: a page that trains spirals never fetches the transformer. */
import type { Task } from "../engine/task";
import { HoldfastError } from "../errors";
import { TASKS } from "./meta";

const LOADERS: Readonly<Record<string, () => Promise<Task>>> = {
  spirals: async () => (await import("./spirals")).spirals,
  text: async () => (await import("./text")).text,
  digits: async () => (await import("./digits")).digits,
  modular: async () => (await import("./modular")).modular,
  table: async () => (await import("./table")).table,
};

/** Loads the task of that id; `missing` where there is none. */
export async function loadTask(id: string): Promise<Task> {
  const load = Object.hasOwn(LOADERS, id) ? LOADERS[id] : undefined;
  if (load) return load();
  const known = TASKS.map((info) => info.id).join(", ");
  throw new HoldfastError("missing", `There is no task "${id}"; choose one of ${known}.`);
}
