/** The audit log as a whole: read, and written where nothing else is. What changes a run is noted in its own transaction. */
import type { AuditEntry, AuditLog, AuditNote } from "../format/stored";
import { auditOf, noted, STORE } from "../store/audit";
import type { Catalog } from "../store/tables";
import type { Background } from "./background";

export class AuditTrail {
  readonly #catalog: Catalog;
  readonly #now: () => number;
  readonly #background: Background;

  constructor(catalog: Catalog, now: () => number, background: Background) {
    this.#catalog = catalog;
    this.#now = now;
    this.#background = background;
  }

  /** Notes what was done without a transaction of its own. Nobody waits for it: what reads must not need room to write. */
  later(
    run: string,
    { what, step = null, why = "", ms = null }: Pick<AuditNote, "what"> & Partial<AuditNote>,
  ): void {
    const time = this.#now();
    this.#background.later(() =>
      this.#catalog.write("relaxed", async (tx) => {
        // Of a run that there is not, nobody would ever read it.
        if (run !== STORE && (await tx.get("runs", run)) === undefined) return;
        await noted(tx, { run, time, what, step, why, ms });
      }),
    );
  }

  /** What was done to a run, or to all of them and the store. */
  async read(run?: string): Promise<AuditLog> {
    const chains = await this.#catalog.read(async (tx) => {
      const runs = run === undefined ? [STORE, ...(await tx.all("runs")).map(({ id }) => id)] : [run];
      const found: (readonly AuditEntry[])[] = [];
      for (const id of runs) found.push(await tx.of("audit", id));
      return found;
    });
    return auditOf(chains);
  }
}
