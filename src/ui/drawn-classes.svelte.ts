/** Classes of a person's own and the examples drawn of each, kept in the browser until they are removed. */
import {
  drawingsIn,
  EMPTY_SET,
  LEAST_CLASSES,
  MOST_CLASSES,
  MOST_DRAWINGS,
  readSet,
  writtenSet,
  type DrawnSet,
} from "./drawn-set";

export const DRAWINGS_KEY = "holdfast/drawings";

/** Where they are kept. */
type Place = Pick<Storage, "getItem" | "setItem">;

/** Components read it; only its methods write it. */
export class DrawnClasses {
  set = $state.raw<DrawnSet>(EMPTY_SET);
  /** Place of the class that is drawn for. */
  chosen = $state(0);
  /** What was removed last, in words; null where nothing was, or it is too late to undo it. */
  removed = $state.raw<string | null>(null);
  /** Are they gone with the page, because the browser keeps no more? */
  isLost = $state(false);
  /** Was any of them changed since the page was opened? */
  isChanged = $state(false);
  readonly #place: Place | null;
  #before: DrawnSet = EMPTY_SET;

  total = $derived(drawingsIn(this.set));
  canAdd = $derived(this.total < MOST_DRAWINGS);
  canAddClass = $derived(this.set.length < MOST_CLASSES);
  canRemoveClass = $derived(this.set.length > LEAST_CLASSES);

  /** `place`: null where the browser keeps nothing for this page. */
  constructor(place: Place | null) {
    this.#place = place;
    this.set = this.#read();
  }

  #read(): DrawnSet {
    return readSet(this.#place?.getItem(DRAWINGS_KEY) ?? null) ?? EMPTY_SET;
  }

  /** Follows what is drawn in other tabs until the returned function is called. */
  open(): () => void {
    // Others may have drawn while nobody looked here.
    if (this.#place !== null && !this.isLost) this.set = this.#read();
    this.choose(this.chosen);
    const follow = ({ key, newValue }: StorageEvent): void => {
      if (key !== DRAWINGS_KEY) return;
      this.set = readSet(newValue) ?? EMPTY_SET;
      this.removed = null;
      this.choose(this.chosen);
    };
    window.addEventListener("storage", follow);
    return () => {
      window.removeEventListener("storage", follow);
    };
  }

  choose(place: number): void {
    this.chosen = Math.max(0, Math.min(place, this.set.length - 1));
  }

  rename(place: number, name: string): void {
    this.#write(this.set.map((one, at) => (at === place ? { ...one, name } : one)));
  }

  addClass(): void {
    if (!this.canAddClass) return;
    const names = this.set.map(({ name }) => name.trim());
    let number = this.set.length + 1;
    while (names.includes(`class ${number}`)) number++;
    this.#write([...this.set, { name: `class ${number}`, drawings: [] }]);
    this.choose(this.set.length - 1);
  }

  removeClass(place: number): void {
    const { name = "", drawings = [] } = this.set[place] ?? {};
    if (!this.canRemoveClass) return;
    this.#remove(
      this.set.toSpliced(place, 1),
      `Removed “${name}” with ${drawings.length} ${drawings.length === 1 ? "drawing" : "drawings"}.`,
    );
    this.choose(this.chosen > place ? this.chosen - 1 : this.chosen);
  }

  /** A PNG as a `data:` address, to the class that is chosen. */
  add(drawing: string): void {
    if (!this.canAdd) return;
    this.#write(
      this.set.map((one, at) =>
        at === this.chosen ? { ...one, drawings: [...one.drawings, drawing] } : one,
      ),
    );
  }

  remove(place: number, drawing: number): void {
    const name = this.set[place]?.name ?? "";
    this.#remove(
      this.set.map((one, at) =>
        at === place ? { ...one, drawings: one.drawings.toSpliced(drawing, 1) } : one,
      ),
      `Removed drawing ${drawing + 1} of “${name}”.`,
    );
  }

  /** What was removed last is there again. */
  undo(): void {
    if (this.removed !== null) this.#write(this.#before);
  }

  #remove(set: DrawnSet, words: string): void {
    const before = this.set;
    this.#write(set);
    this.#before = before;
    this.removed = words;
  }

  #write(set: DrawnSet): void {
    this.set = set;
    this.removed = null;
    this.isChanged = true;
    this.isLost = !this.#isKept(set);
  }

  #isKept(set: DrawnSet): boolean {
    try {
      this.#place?.setItem(DRAWINGS_KEY, writtenSet(set));
      return this.#place !== null;
    } catch {
      return false;
    }
  }
}
