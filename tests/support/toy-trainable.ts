/**
 * A trainer of a few lines over Float32Arrays: momentum on noisy least squares, noise from a counter.
 * Everything that a real one has to carry is in it: parameters, a slot, a counter, a data position.
 */
import type { State } from "../../src/format/tensors";
import type { PendingLoss, Snapshot, StepInput, Trainable } from "../../src/engine/trainable";

const SIZE = 4;

export class ToyTrainable implements Trainable {
  readonly batchSize = 2;
  readonly samplesPerEpoch = 10;
  readonly #losses = new Map<PendingLoss, number>();
  #weights = Float32Array.from({ length: SIZE }, (_, i) => i + 1);
  #momentum = new Float32Array(SIZE);
  #step = 0;
  #samples = 0;
  /** Steps that were submitted, in order. */
  readonly submitted: StepInput[] = [];
  /** What `settled` waits for; a test may hold it. */
  gate: Promise<void> = Promise.resolve();
  /** The same for `losses`. */
  lossGate: Promise<void> = Promise.resolve();
  /** Loss of this step becomes NaN, and all later ones. */
  breaksAt = Infinity;
  /** Loss of this step is a thousand times as high. */
  spikesAt = Infinity;
  inFlight = 0;
  mostInFlight = 0;
  snapshotsOpen = 0;
  failRead: Error | null = null;

  step(input: StepInput): PendingLoss {
    this.submitted.push(input);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    let loss = 0;
    for (let i = 0; i < SIZE; i += 1) {
      const noise = Math.fround(((input.step * 7919 + i * 104729) % 1000) / 1000 - 0.5);
      const gradient = Math.fround((this.#weights[i] ?? 0) - i * 0.1 + noise);
      this.#momentum[i] = (this.#momentum[i] ?? 0) * 0.9 + gradient;
      this.#weights[i] = (this.#weights[i] ?? 0) - input.learningRate * (this.#momentum[i] ?? 0);
      loss += gradient * gradient;
    }
    this.#step = input.step + 1;
    this.#samples = input.samples + this.batchSize;
    const pending = { step: this.#step };
    this.#losses.set(
      pending,
      this.#step >= this.breaksAt ? Number.NaN : this.#step === this.spikesAt ? 1000 * loss : loss,
    );
    return pending;
  }

  async losses(pending: readonly PendingLoss[]): Promise<Float32Array<ArrayBuffer>> {
    await this.settled();
    await this.lossGate;
    return Float32Array.from(pending, (one) => this.#losses.get(one) ?? Number.NaN);
  }

  async settled(): Promise<void> {
    const submitted = this.inFlight;
    await this.gate;
    // A macrotask, as on a device: messages get in between.
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.inFlight = Math.max(0, this.inFlight - submitted);
  }

  snapshot(): Snapshot {
    const state = this.state();
    this.snapshotsOpen += 1;
    return {
      step: this.#step,
      read: async (held) => {
        held.push(0.1);
        await new Promise((resolve) => setTimeout(resolve, 0));
        this.snapshotsOpen -= 1;
        if (this.failRead !== null) throw this.failRead;
        return state;
      },
      discard: () => {
        this.snapshotsOpen -= 1;
      },
    };
  }

  state(): State {
    return {
      tensors: [
        { name: "param/w", dtype: "float32", shape: [SIZE], values: this.#weights.slice() },
        { name: "slot/momentum/w", dtype: "float32", shape: [SIZE], values: this.#momentum.slice() },
      ],
      scalars: { step: this.#step, samples: this.#samples, counters: {} },
    };
  }

  restore(state: State): void {
    this.#weights = Float32Array.from(state.tensors[0]?.values ?? []);
    this.#momentum = Float32Array.from(state.tensors[1]?.values ?? []);
    this.#step = state.scalars.step;
    this.#samples = state.scalars.samples;
  }

  dispose(): void {
    this.#losses.clear();
  }
}
