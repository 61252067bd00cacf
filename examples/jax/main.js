/** jax-js: arrays never change, so a reference to each is a snapshot; it is read while later steps run. */
import { grad, jit, numpy as np } from "@jax-js/jax";
import { normals, openStore, uniforms } from "holdfast";
import { showEnd, showError, showRun, showStep } from "../show.js";

const STEPS = 900;
const BATCH = 32;
const WIDTH = 16;
const SEED = 7;

const SHAPES = { hidden: [1, WIDTH], bias: [1, WIDTH], out: [WIDTH, 1] };

/** The loss and what follows from it; each use but the last of an array takes a reference (`ref`). */
function lossOf({ hidden, bias, out }, x) {
  const target = np.sin(x.ref.mul(6));
  const y = np.dot(np.tanh(np.dot(x, hidden).add(bias)), out);
  return np.square(y.sub(target)).mean();
}

const update = jit((params, momentum, x) => {
  const loss = lossOf(refs(params), x.ref);
  const gradient = grad(lossOf)(refs(params), x);
  const next = {};
  const moved = {};
  for (const name of Object.keys(SHAPES)) {
    moved[name] = momentum[name].mul(0.9).add(gradient[name]);
    next[name] = params[name].sub(moved[name].ref.mul(0.01));
  }
  return [next, moved, loss];
});

function refs(tree) {
  return Object.fromEntries(Object.entries(tree).map(([name, array]) => [name, array.ref]));
}

async function train() {
  let params = {};
  let momentum = {};
  for (const [name, shape] of Object.entries(SHAPES)) {
    const size = shape[0] * shape[1];
    params[name] = np.array(normals(SEED, `init/${name}`, 0, size)).reshape(shape);
    momentum[name] = np.zeros(shape);
  }

  const trainer = {
    machine: { adapter: { device: "jax-js wasm" } },
    read: async () => {
      const named = [
        ...Object.entries(refs(params)).map(([name, array]) => [`param/${name}`, array, SHAPES[name]]),
        ...Object.entries(refs(momentum)).map(([name, array]) => [
          `slot/momentum/${name}`,
          array,
          SHAPES[name],
        ]),
      ];
      const tensors = named.map(async ([name, array, shape]) => ({
        name,
        dtype: "float32",
        shape,
        values: new Float32Array(await array.data()),
      }));
      return { tensors: await Promise.all(tensors) };
    },
    restore: ({ tensors }) => {
      const arrayOf = (name) => {
        const { values, shape } = tensors.find((tensor) => tensor.name === name);
        return np.array(values).reshape(shape);
      };
      for (const name of Object.keys(SHAPES)) {
        params[name].dispose();
        momentum[name].dispose();
        params[name] = arrayOf(`param/${name}`);
        momentum[name] = arrayOf(`slot/momentum/${name}`);
      }
    },
  };

  const store = await openStore();
  const run = await store.open("jax", trainer, {
    seed: SEED,
    steps: STEPS,
    policy: { save: { kind: "steps", every: 100 } },
  });
  showRun(run, STEPS);

  while (run.step < STEPS) {
    const x = np.array(uniforms(run.seed, "batch", run.step, BATCH)).reshape([BATCH, 1]);
    const [next, moved, loss] = update(params, momentum, x);
    params = next;
    momentum = moved;
    const [value] = await loss.data();
    await run.stepped({ loss: value, samples: BATCH });
    if (run.step % 20 === 0) showStep(run.step, value);
  }
  showEnd(await run.finish());
}

train().catch(showError);
