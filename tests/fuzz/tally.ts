/** What came of many inputs, by target. */
import type { Outcome } from "./outcome";

export interface Count {
  readonly inputs: number;
  readonly ms: number;
  /** By what was reached. */
  readonly reached: ReadonlyMap<string, number>;
}

export class Tally {
  readonly counts = new Map<string, Count>();

  add(target: string, { reached }: Outcome, ms: number): void {
    this.#join(target, { inputs: 1, ms, reached: new Map([[reached, 1]]) });
  }

  join(counts: ReadonlyMap<string, Count>): void {
    for (const [target, count] of counts) this.#join(target, count);
  }

  get inputs(): number {
    return [...this.counts.values()].reduce((sum, { inputs }) => sum + inputs, 0);
  }

  /** Different things that readers said, over all targets. */
  get outcomes(): number {
    return [...this.counts.values()].reduce((sum, { reached }) => sum + reached.size, 0);
  }

  /** A line for each target: inputs, accepted, refused by code, different outcomes, inputs a second of one thread. */
  table(): readonly string[] {
    const codes = [
      ...new Set([...this.counts.values()].flatMap(({ reached }) => [...reached.keys()].map(codeOf))),
    ];
    codes.sort();
    const line = (name: string, cells: readonly (string | number)[]) =>
      `${name.padEnd(18)}${cells.map((cell) => String(cell).padStart(13)).join("")}`;
    return [
      line("", ["inputs", ...codes, "outcomes", "a second"]),
      ...[...this.counts].sort().map(([target, { inputs, ms, reached }]) => {
        const byCode = codes.map((code) =>
          [...reached].reduce((sum, [what, count]) => (codeOf(what) === code ? sum + count : sum), 0),
        );
        return line(target, [inputs, ...byCode, reached.size, Math.round((1000 * inputs) / ms)]);
      }),
    ];
  }

  #join(target: string, { inputs, ms, reached }: Count): void {
    const before = this.counts.get(target);
    const all = new Map(before?.reached);
    for (const [what, count] of reached) all.set(what, (all.get(what) ?? 0) + count);
    this.counts.set(target, {
      inputs: (before?.inputs ?? 0) + inputs,
      ms: (before?.ms ?? 0) + ms,
      reached: all,
    });
  }
}

function codeOf(reached: string): string {
  return reached.split(":")[0] ?? "";
}
