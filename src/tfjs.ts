/** Holdfast for TensorFlow.js. Imports nothing of it: the adapters take the page's own `tf`. */
export { layersModel } from "./library/tfjs-layers";
export type {
  FitCallback,
  FitOptions,
  LayerLike,
  LayersModelLike,
  LayersTrainer,
  Logs,
  WeightLike,
} from "./library/tfjs-layers";
export { variables } from "./library/tfjs-variables";
export type { OptimizerLike } from "./library/tfjs-optimizer";
export type { TensorFlow, TensorLike, VariableLike } from "./library/tensorflow";
