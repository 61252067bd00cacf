/** Holdfast's own optimizers, for variables of TensorFlow.js. Imports `@tensorflow/tfjs-core`, which is the page's. */
export { optimized } from "./library/optimized";
export type { Optimized, OptimizerOptions, Update } from "./library/optimized";
