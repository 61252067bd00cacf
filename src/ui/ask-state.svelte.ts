/** Something of a person's own put through the model of a run: what is asked, and what came of it. */
import { messageOf } from "../errors";
import type { HoldfastPage } from "../worker/api";
import type { Panel, Question } from "../worker/protocol";

/** Components read it and call `ask`. */
export class AskState {
  readonly #api: HoldfastPage;
  readonly #run: string;
  panels = $state.raw<readonly Panel[]>([]);
  failed = $state.raw<string | null>(null);
  asking = $state(false);
  /** The newest question while one is under way: a drawing goes on faster than a model answers. */
  #next: Question | null = null;

  constructor(api: HoldfastPage, run: string) {
    this.#api = api;
    this.#run = run;
  }

  async ask(question: Question): Promise<void> {
    this.#next = question;
    if (this.asking) return;
    this.asking = true;
    while (this.#next !== null) {
      const now: Question = this.#next;
      this.#next = null;
      try {
        this.panels = await this.#api.ask(this.#run, now);
        this.failed = null;
      } catch (error) {
        this.failed = messageOf(error);
      }
    }
    this.asking = false;
  }

  clear(): void {
    this.#next = null;
    this.panels = [];
    this.failed = null;
  }
}
