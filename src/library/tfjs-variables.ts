/** Plain variables with an optimizer of TensorFlow.js, as a trainer. */
import {
  assign,
  exactMachine,
  readVariables,
  shapeOf,
  upload,
  type TensorFlow,
  type VariableLike,
} from "./tensorflow";
import { optimizerVariables, restoreOptimizer, type OptimizerLike } from "./tfjs-optimizer";
import { matched, type Trainer } from "./trainer";

/**
 * Variables by names of yours, in the order in which `optimizer.minimize` gets them, with that optimizer's whole state.
 * Sets the flags of the backend that exactness needs, so call it before the first step.
 *
 * @example
 * const optimizer = tf.train.adam(0.01);
 * const trainer = variables(tf, { kernel, bias }, optimizer);
 * const run = await store.open("line", trainer);
 */
export function variables(
  tf: TensorFlow,
  parameters: Readonly<Record<string, VariableLike>>,
  optimizer: OptimizerLike,
): Trainer {
  const named = Object.entries(parameters).map(([name, variable]) => ({ name, variable }));
  const held = named.map(({ name, variable }) => ({ name: `param/${name}`, variable }));
  return {
    machine: exactMachine(tf),
    updates: () => optimizer.iterations,
    read: () =>
      readVariables(tf, [...held, ...optimizerVariables(optimizer, named)], {
        iterations: optimizer.iterations,
      }),
    restore: (state) => {
      const isParameter = ({ name }: { readonly name: string }) => name.startsWith("param/");
      const given = matched(state.tensors.filter(isParameter), held.map(shapeOf));
      const rest = state.tensors.filter((tensor) => !isParameter(tensor));
      restoreOptimizer(tf, optimizer, named, { ...state, tensors: rest });
      tf.tidy(() => {
        for (const { name, variable } of held) assign(variable, upload(tf, given(name), variable.shape));
      });
    },
  };
}
