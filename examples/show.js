/** What every example shows: how far it is, where it came from, and the digest in the end. */

const part = (id) => document.getElementById(id);

export function showRun(run, steps) {
  part("steps").max = steps;
  part("from").textContent =
    run.restored === null ? "a new run" : `the checkpoint of step ${run.restored.checkpoint.step}`;
  showStep(run.step, "");
}

export function showStep(step, loss) {
  part("steps").value = step;
  part("step").textContent = step;
  part("loss").textContent = loss;
}

export function showEnd(checkpoint) {
  part("digest").textContent = checkpoint.digest;
}

export function showError(error) {
  part("digest").textContent = `${error.code ?? error.name}: ${error.message}`;
}
