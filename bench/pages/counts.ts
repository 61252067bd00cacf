/** Counts what a worker asks of its GPU, by wrapping the calls themselves: a figure that no machine changes. */
export interface GpuCounts {
  readonly dispatches: number;
  readonly submits: number;
}

let dispatches = 0;
let submits = 0;

/** Call once, before the first step. */
export function countGpuCalls(): void {
  if (typeof GPUComputePassEncoder === "undefined") return;
  const pass = GPUComputePassEncoder.prototype;
  /* eslint-disable @typescript-eslint/unbound-method -- called with `this` below */
  const { dispatchWorkgroups } = pass;
  const { submit } = GPUQueue.prototype;
  /* eslint-enable @typescript-eslint/unbound-method */
  pass.dispatchWorkgroups = function (...args) {
    dispatches += 1;
    dispatchWorkgroups.apply(this, args);
  };
  GPUQueue.prototype.submit = function (buffers) {
    submits += 1;
    submit.call(this, buffers);
  };
}

export function gpuCounts(): GpuCounts {
  return { dispatches, submits };
}
