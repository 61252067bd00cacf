/** Two checkpoints side by side: which, what differs, and their pictures. The address holds the choice. */
import { messageOf } from "../errors";
import type { HoldfastPage } from "../worker/api";
import type { CheckpointInfo, Comparison, Picture, RunStep } from "../worker/protocol";

export type Side = "a" | "b";

/** A picture, the reason why there is none, or null while it is made. */
export type PictureResult =
  | { readonly kind: "picture"; readonly picture: Picture }
  | { readonly kind: "failed"; readonly message: string }
  | null;

/** Made anew for each pair; components only read it. */
export class CompareState {
  comparison = $state.raw<Comparison | null>(null);
  failed = $state.raw<string | null>(null);
  pictures = $state.raw<Readonly<Record<Side, PictureResult>>>({ a: null, b: null });
  readonly #api: HoldfastPage;
  readonly a: RunStep;
  readonly b: RunStep;

  constructor(api: HoldfastPage, a: RunStep, b: RunStep) {
    this.#api = api;
    this.a = a;
    this.b = b;
  }

  async load(): Promise<void> {
    try {
      this.comparison = await this.#api.compare(this.a, this.b);
    } catch (error) {
      this.failed = messageOf(error);
      return;
    }
    // One after the other: both need the one trainer, and the first one shows sooner.
    await this.#loadPicture("a", this.a);
    await this.#loadPicture("b", this.b);
  }

  async #loadPicture(side: Side, of: RunStep): Promise<void> {
    this.pictures = { ...this.pictures, [side]: await this.#picture(of) };
  }

  async #picture(of: RunStep): Promise<PictureResult> {
    try {
      return { kind: "picture", picture: await this.#api.picture(of.run, of.step) };
    } catch (error) {
      return { kind: "failed", message: messageOf(error) };
    }
  }
}

/**
 * What to compare a checkpoint with when nobody chose: the newest one of its run, or, for the newest itself, the one
 * halfway before it, where most has happened since.
 */
export function counterpart(checkpoints: readonly CheckpointInfo[], step: number): number | null {
  const newest = checkpoints.at(-1);
  if (newest === undefined) return null;
  if (newest.step !== step) return newest.step;
  const earlier = checkpoints.filter((checkpoint) => checkpoint.step < step);
  return earlier.findLast((checkpoint) => checkpoint.step <= step / 2)?.step ?? earlier.at(0)?.step ?? null;
}
