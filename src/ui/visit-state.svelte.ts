/** A look at one step of a run: on its way, arrived, or why not. */
import { hasCode, messageOf } from "../errors";
import type { HoldfastEvent, HoldfastPage } from "../worker/api";
import type { Picture, Visit } from "../worker/protocol";

type Going = { readonly done: number; readonly total: number; readonly since: number };

/** Components read it; only its methods write it. */
export class VisitState {
  readonly #api: HoldfastPage;
  readonly #run: string;
  readonly #now: () => number;
  /** Counts visits; only the last one is shown. */
  #asked = 0;
  /** The step that is looked at, or on the way to; null where none is. */
  step = $state.raw<number | null>(null);
  /** Null at rest. */
  going = $state.raw<Going | null>(null);
  visit = $state.raw<Visit | null>(null);
  picture = $state.raw<Picture | null>(null);
  metrics = $state.raw<Readonly<Record<string, number>>>({});
  failed = $state.raw<string | null>(null);

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(api: HoldfastPage, run: string, now: () => number = () => performance.now()) {
    this.#api = api;
    this.#run = run;
    this.#now = now;
  }

  /** Milliseconds that are left, by the steps done so far; null where nobody knows yet. */
  get left(): number | null {
    if (this.going === null || this.going.done === 0) return null;
    const { done, total, since } = this.going;
    return ((this.#now() - since) / done) * (total - done);
  }

  async go(step: number): Promise<void> {
    this.#clear(step);
    const ask = ++this.#asked;
    const isOver = (): boolean => ask !== this.#asked;
    this.going = { done: 0, total: 0, since: this.#now() };
    try {
      const visit = await this.#api.goto(this.#run, step);
      if (isOver()) return;
      this.visit = visit;
      this.going = null;
      const [picture, metrics] = await Promise.all([
        this.#api.picture(this.#run, step),
        this.#api.evaluate(this.#run, step),
      ]);
      if (!isOver()) Object.assign(this, { picture, metrics });
    } catch (error) {
      if (isOver()) return;
      this.going = null;
      if (hasCode(error, "cancelled")) this.step = null;
      else this.failed = messageOf(error);
    }
  }

  /** Gives up a visit under way, and lets go of what was visited. */
  leave(): void {
    if (this.step === null) return;
    this.#asked += 1;
    this.#clear(null);
    this.#api.leave().catch(() => undefined);
  }

  apply(event: HoldfastEvent): void {
    if (event.kind !== "visiting" || event.run !== this.#run || event.step !== this.step) return;
    const { done, total } = event;
    // The first step compiles shaders, and says nothing about those that follow.
    if (this.going !== null) this.going = { done, total, since: done === 0 ? this.#now() : this.going.since };
  }

  #clear(step: number | null): void {
    this.step = step;
    this.going = null;
    this.visit = null;
    this.picture = null;
    this.metrics = {};
    this.failed = null;
  }
}
