/** Holdfast's own optimizers, for variables of TensorFlow.js. Imports `@tensorflow/tfjs-core`, which is the page's. */
export { optimized, Optimized } from "./library/optimized";
export type { OptimizerOptions, Update } from "./library/optimized";
