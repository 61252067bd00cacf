/** No library but Holdfast: a polynomial is fitted to noisy points by stochastic gradients with momentum. */
import { arrays, openStore, randomInteger, uniforms } from "holdfast";
import { showEnd, showError, showRun, showStep } from "../show.js";

const STEPS = 30_000;
const POINTS = 256;

async function train() {
  // Everything that the next step reads.
  const weights = new Float32Array(8);
  const momentum = new Float32Array(8);

  const store = await openStore();
  const run = await store.open(
    "curve",
    arrays({ "param/weights": weights, "slot/momentum/weights": momentum }),
    { seed: 7, steps: STEPS, policy: { save: { kind: "steps", every: 1000 } } },
  );
  showRun(run, STEPS);

  // Randomness is a function of (seed, name, step): there is no generator that would have to be saved.
  const noise = uniforms(run.seed, "noise", 0, POINTS);

  while (run.step < STEPS) {
    const point = randomInteger(run.seed, "order", run.step, 0, POINTS);
    const x = (2 * point) / POINTS - 1;
    const loss = update(weights, momentum, x, Math.sin(3 * x) + 0.2 * noise[point]);
    await run.stepped({ loss, samples: 1 });
    if (run.step % 100 === 0) showStep(run.step, loss);
  }
  showEnd(await run.finish());
}

function update(weights, momentum, x, y) {
  const error = weights.reduce((sum, weight, power) => sum + weight * x ** power, 0) - y;
  for (let power = 0; power < weights.length; power++) {
    momentum[power] = 0.9 * momentum[power] + 2 * error * x ** power;
    weights[power] -= 0.002 * momentum[power];
  }
  return error ** 2;
}

train().catch(showError);
