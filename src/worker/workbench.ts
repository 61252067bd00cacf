/** A run's record made live on a device: its model, its trainable, its pictures. */
import type { Device } from "../engine/device";
import { environmentOf } from "../engine/environment";
import { KERNELS_MATH_VERSION, TfjsTrainable } from "../engine/tfjs";
import { OPTIMIZER_MATH_VERSION } from "../engine/optimizers/optimizer";
import { HoldfastError } from "../errors";
import type { Model, Task } from "../engine/task";
import type { TaskInfo } from "../tasks/meta";
import type { Answers, Environment, Picture, Question, RunRecord, State } from "./protocol";

/** The versions that decide whether two builds of Holdfast compute the same numbers for a task. */
export function mathVersions(task: TaskInfo): Record<string, number> {
  return { [task.id]: task.mathVersion, optimizers: OPTIMIZER_MATH_VERSION, kernels: KERNELS_MATH_VERSION };
}

export class Workbench {
  readonly record: RunRecord;
  readonly environment: Environment;
  readonly trainable: TfjsTrainable;
  readonly #model: Model;

  constructor(device: Device, task: Task, record: RunRecord, bytes: Uint8Array<ArrayBuffer>) {
    this.record = record;
    this.environment = environmentOf(device, mathVersions(task.info));
    this.#model = task.build(record.config, bytes, record.seed);
    const { batchSize } = record.config;
    if (typeof batchSize !== "number") {
      throw new HoldfastError(
        "invalid",
        `The task ${task.info.id} must have a setting "batchSize", a number.`,
      );
    }
    const { optimizer, seed } = record;
    this.trainable = new TfjsTrainable({ device, model: this.#model, optimizer, seed, batchSize });
  }

  /** Metrics on held-out data; those that are not finite are left out. */
  async evaluate(): Promise<Readonly<Record<string, number>>> {
    return finite(await this.trainable.withParams((params) => this.#model.evaluate(params)));
  }

  /** The same, with the parameters of another state; its own stays. */
  async evaluateWith(state: State): Promise<Readonly<Record<string, number>>> {
    return finite(await this.trainable.withParamsOf(state, (params) => this.#model.evaluate(params)));
  }

  async answers(): Promise<Answers | null> {
    const model = this.#model;
    return this.trainable.withParams(async (params) => (await model.answers?.(params)) ?? null);
  }

  async picture(step: number): Promise<Picture> {
    return this.trainable.withParams((params) => this.#model.picture(params, step));
  }

  async respond(question: Question, step: number): Promise<Picture> {
    const model = this.#model;
    return this.trainable.withParams(async (params) => {
      const panels = await model.respond?.(params, question);
      if (panels !== undefined) return { step, panels };
      throw new HoldfastError("invalid", `A model of the task ${this.record.task} cannot be asked.`);
    });
  }

  dispose(): void {
    this.trainable.dispose();
    this.#model.dispose();
  }
}

function finite(metrics: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}
