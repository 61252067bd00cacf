/** Something of a person's own put through one model, or through several states: what is asked, and what came of it. */
import type { HoldfastPage } from "../worker/api";
import type { Question } from "../worker/protocol";
import { resultOf, type PictureResult } from "./picture-result";

/** A state that is asked: of a step, or of the run as it is now. */
export interface AskedState {
  readonly run: string;
  readonly step?: number;
}

/** Components read it and call `ask`. */
export class AskState {
  readonly #api: HoldfastPage;
  readonly #states: readonly AskedState[];
  /** As many as there are states, in their order; none until something is asked. */
  results = $state.raw<readonly PictureResult[]>([]);
  asking = $state(false);
  #answering: Promise<void> | null = null;
  /** The newest question while one is under way: a drawing goes on faster than a model answers. */
  #next: Question | null = null;

  constructor(api: HoldfastPage, states: readonly AskedState[]) {
    this.#api = api;
    this.#states = states;
  }

  /** Resolves once nothing that was asked is without its answers any more. */
  ask(question: Question): Promise<void> {
    this.#next = question;
    this.#answering ??= this.#answerAll();
    return this.#answering;
  }

  async #answerAll(): Promise<void> {
    this.asking = true;
    while (this.#next !== null) {
      const now: Question = this.#next;
      this.#next = null;
      await this.#askEach(now);
    }
    this.asking = false;
    this.#answering = null;
  }

  /** One after the other, since all need the one trainer; no further than until something else is asked. */
  async #askEach(question: Question): Promise<void> {
    // Answers to two questions must not stand side by side; one by itself stays until the next one is there.
    if (this.#states.length > 1 || this.results.length === 0) this.results = this.#states.map(() => null);
    for (const [index, { run, step }] of this.#states.entries()) {
      const result = await resultOf(this.#api.ask(run, question, step));
      // Cleared, or closed, meanwhile.
      if (this.results.length === 0) return;
      this.results = this.results.with(index, result);
      if (this.#next !== null) return;
    }
  }

  /** What was said is gone, and nothing further is asked of the trainer. */
  clear(): void {
    this.#next = null;
    this.results = [];
  }
}
