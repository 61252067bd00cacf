/** The settings of this page, kept in the browser and shared by its tabs. */
import { pageStorage } from "./page-storage";
import { DEFAULTS, readSettings, writtenSettings, type Settings } from "./settings";
import { showTheme } from "./theme";

/** `public/theme.js` reads it too. */
export const SETTINGS_KEY = "holdfast/settings";

/** Where they are kept. */
type Place = Pick<Storage, "getItem" | "setItem">;

/** Components read it; only its methods write it. */
export class SettingsState {
  /** What holds. */
  now = $state.raw<Settings>(DEFAULTS);
  /** Why the defaults hold, or why a change goes with this page; null where neither is so. */
  problem = $state.raw<string | null>(null);
  readonly #place: Place | null;

  /** `place`: null where the browser keeps nothing for this page. */
  constructor(place: Place | null) {
    this.#place = place;
    const { settings, problem, isNewer } = readSettings(place?.getItem(SETTINGS_KEY) ?? null);
    this.#take(settings);
    // So that it is said once.
    if (problem !== null && !isNewer) this.#keep();
    this.problem = problem;
  }

  /** Follows the other tabs until the returned function is called. */
  open(): () => void {
    const follow = ({ key, newValue }: StorageEvent): void => {
      if (key !== SETTINGS_KEY) return;
      const { settings, problem } = readSettings(newValue);
      // That tab has another version of the page: this one goes on with what it has.
      if (problem === null) this.#take(settings);
    };
    window.addEventListener("storage", follow);
    return () => {
      window.removeEventListener("storage", follow);
    };
  }

  change(changes: Partial<Settings>): void {
    this.#take({ ...this.now, ...changes });
    this.#keep();
  }

  /** All as they were at first. Returns what held before. */
  reset(): Settings {
    const before = this.now;
    this.change(DEFAULTS);
    return before;
  }

  #keep(): void {
    this.problem = this.#isKept()
      ? null
      : "The browser does not keep the settings of this page, so they end with this tab. Allow the site to store data.";
  }

  #isKept(): boolean {
    try {
      this.#place?.setItem(SETTINGS_KEY, writtenSettings(this.now));
      return this.#place !== null;
    } catch {
      return false;
    }
  }

  #take(settings: Settings): void {
    // First: what is drawn anew because of it reads the new colours.
    showTheme(settings.theme);
    this.now = settings;
  }
}

/** The page's one. */
export const settings = new SettingsState(pageStorage());
