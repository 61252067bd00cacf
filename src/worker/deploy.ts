/** Weights of a state, as files for other programs, and what storing them so costs on held-out data. */
import type { Task } from "../engine/task";
import { HoldfastError } from "../errors";
import { deployed, deployedLayersModel, deployedSafetensors } from "../format/deploy";
import type { DenseLayer } from "../format/layers-model";
import type { Deployment, DeployOptions, RunRecord, State } from "./protocol";
import type { Workbench } from "./workbench";
import type { Held } from "./visitor";

export async function deployment(
  { bench, state, visit }: Held<Workbench>,
  task: Task,
  { dtype = "float32", form = "safetensors" }: DeployOptions,
): Promise<Deployment> {
  const layers = form === "layers-model" ? layersOf(task, bench.record) : null;
  const weights = deployed(state.tensors, dtype);
  const before = await bench.evaluate();
  const after = dtype === "float32" ? before : await evaluatedWith(bench, state, weights.values);
  if (layers !== null) return { file: new Blob([...deployedLayersModel(weights, layers)]), before, after };
  const { name, task: taskName } = bench.record;
  const metadata = {
    run: name,
    task: taskName,
    step: String(visit.step),
    digest: visit.digest,
    dtype,
    metrics: JSON.stringify({ before, after }),
  };
  return { file: new Blob([...deployedSafetensors(weights, metadata)]), before, after };
}

function layersOf(task: Task, { config }: RunRecord): readonly DenseLayer[] {
  const layers = task.layers?.(config);
  if (layers !== undefined) return layers;
  throw new HoldfastError(
    "unsupported",
    `${task.info.title} is no stack of Dense layers, so it is no LayersModel. Deploy it as safetensors.`,
  );
}

/** The state is there again afterwards, whatever happens. */
async function evaluatedWith(
  bench: Workbench,
  state: State,
  values: State["tensors"],
): Promise<Readonly<Record<string, number>>> {
  const byName = new Map(values.map((tensor) => [tensor.name, tensor]));
  const tensors = state.tensors.map((tensor) => byName.get(tensor.name) ?? tensor);
  try {
    bench.trainable.restore({ ...state, tensors });
    return await bench.evaluate();
  } finally {
    bench.trainable.restore(state);
  }
}
