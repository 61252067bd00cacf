/** The opening of a store, as often as it takes until everything was seen: who may write, and to what. */
import { HoldfastError, messageOf } from "../errors";
import type { Recovery } from "../format/stored";
import { isBlank, NOTHING_SEEN, recover, type Recovered, type RecoveryParts } from "./recover";

type Parts = Omit<RecoveryParts, "withoutUnread" | "wasBlank">;

/** What a look at the packs found, or why there was none. */
type Look = Recovered & { readonly failure: Error | null };

/** Looks at once, before anything is thrown away: what no row names may be all that there is. */
export class Opening {
  readonly #parts: Parts;
  #look: Promise<Look>;
  #found: Recovery | null = null;
  /** Did the catalogue know no pack when this tab opened it? Null before it was asked. */
  #wasBlank: boolean | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#look = this.#lookNow(false);
  }

  /** What was found; null while the first look is under way. */
  get found(): Recovery | null {
    return this.#found;
  }

  /** The last look. Never rejects. */
  seen(): Promise<Look> {
    return this.#look;
  }

  /** Resolves when what is in the packs is in the catalogue as well, as far as it can be. */
  async recovered(): Promise<Recovery> {
    const { runs, lost } = await this.#look;
    return { runs, lost };
  }

  /**
   * For who is about to write to a run: whatever was not found of it would be shut out for ever. Looks again where not
   * everything was seen, at last without what cannot be read, and throws what keeps this run from being brought up to date.
   * Was everything seen now?
   */
  async ready(run: string | null): Promise<boolean> {
    let found = await this.#look;
    if (!found.complete) found = await (this.#look = this.#lookNow(false));
    if (found.unread && !found.held) found = await (this.#look = this.#lookNow(true));
    const { complete, held, failed, failure } = found;
    if (failure !== null) throw failure;
    if (held) {
      throw new HoldfastError(
        "busy",
        "Another tab, or one that is closing, holds what may belong to this run. Close it, or try again in a moment.",
      );
    }
    if (run !== null && failed.has(run)) throw failed.get(run);
    return complete;
  }

  /** A failure is told, not thrown: nothing was thrown away, what is listed can be read, and the next one looks again. */
  async #lookNow(withoutUnread: boolean): Promise<Look> {
    const look = async (): Promise<Look> => {
      this.#wasBlank ??= await isBlank(this.#parts.catalog);
      const recovered = await recover({ ...this.#parts, withoutUnread, wasBlank: this.#wasBlank });
      return { ...recovered, failure: null };
    };
    const found = await look().catch(notSeen);
    this.#found = { runs: [...(this.#found?.runs ?? []), ...found.runs], lost: found.lost };
    return found;
  }
}

function notSeen(error: unknown): Look {
  return {
    ...NOTHING_SEEN,
    lost: [`Not everything could be looked at: ${messageOf(error)}`],
    failure: error instanceof Error ? error : new Error(String(error)),
  };
}
