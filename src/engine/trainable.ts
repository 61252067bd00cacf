/**
 * What the session drives: something with a state that can be stepped, copied and put back.
 * `tfjs.ts` is the real one; tests use a few lines over Float32Arrays.
 */
import type { State } from "../format/tensors";

export interface StepInput {
  /** Updates done before this one: the update makes S_(step + 1). */
  readonly step: number;
  /** Samples drawn before this one. */
  readonly samples: number;
  /** A float32 value. */
  readonly learningRate: number;
  /** 0 means off. */
  readonly clipNorm: number;
}

/** A loss that is still on the device. */
export interface PendingLoss {
  readonly step: number;
}

/** A state held in memory, not read back yet. */
export interface Snapshot {
  readonly step: number;
  /**
   * Reads it back, off the step loop, and frees the clones. Fails with `device-lost` where the device went away
   * meanwhile; a state read from a lost device is never handed out.
   * `held` collects the stretches in which the trainer's thread was held, milliseconds.
   */
  read(held: number[]): Promise<State>;
  /** Frees the clones of a snapshot that is not read. */
  discard(): void;
}

export interface Trainable {
  readonly batchSize: number;
  readonly samplesPerEpoch: number;
  /** Submits one update; does not wait for it. */
  step(input: StepInput): PendingLoss;
  /** Reads many losses at once, in the order given; each can be read once. */
  losses(pending: readonly PendingLoss[]): Promise<Float32Array<ArrayBuffer>>;
  /** Resolves when everything that was submitted before this call is done. */
  settled(): Promise<void>;
  /** Between two steps only. */
  snapshot(): Snapshot;
  /** Replaces the whole state. `invalid` names each tensor that is missing, extra or of another shape. */
  restore(state: State): void;
  dispose(): void;
}
