import { beforeEach, expect, suite, test, vi } from "vitest";
import { DRAWINGS_KEY, DrawnClasses } from "../../src/ui/drawn-classes.svelte";
import {
  drawingFiles,
  EMPTY_SET,
  missingWords,
  MOST_DRAWINGS,
  nameProblem,
  readSet,
  writtenSet,
} from "../../src/ui/drawn-set";
import { unpacked } from "../../src/worker/given-files";

/** Not what a browser would take for an image: nothing here looks into it. */
function drawing(number: number): string {
  return `data:image/png;base64,${btoa(`drawing ${number}`)}`;
}

/** A browser's storage with room for so many characters. */
class Storage {
  readonly kept = new Map<string, string>();
  room = Infinity;

  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (value.length > this.room) throw new DOMException("full", "QuotaExceededError");
    this.kept.set(key, value);
  }
}

let storage: Storage;
let drawn: DrawnClasses;

beforeEach(() => {
  storage = new Storage();
  drawn = new DrawnClasses(storage);
});

function counts(): readonly string[] {
  return drawn.set.map(({ name, drawings }) => `${name}: ${drawings.length}`);
}

/** So many drawings of each class, in turn. */
function drawEach(...numbers: readonly number[]): void {
  for (const [place, number] of numbers.entries()) {
    drawn.choose(place);
    for (let i = 0; i < number; i++) drawn.add(drawing(10 * place + i));
  }
}

suite("classes that are drawn", () => {
  test("are two to begin with, are named, get more, and count what is drawn of each", () => {
    expect(counts()).toEqual(["class 1: 0", "class 2: 0"]);
    drawn.rename(0, "circle");
    drawEach(2, 1);
    expect(counts()).toEqual(["circle: 2", "class 2: 1"]);
    drawn.addClass();
    expect(counts()).toEqual(["circle: 2", "class 2: 1", "class 3: 0"]);
    drawn.add(drawing(7));
    expect(drawn.set[2]?.drawings).toEqual([drawing(7)]);
    drawn.remove(0, 0);
    expect(drawn.set[0]?.drawings).toEqual([drawing(1)]);
  });

  test("are not fewer than two and not more than ten", () => {
    drawn.removeClass(0);
    expect(drawn.set).toHaveLength(2);
    for (let i = 0; i < 20; i++) drawn.addClass();
    expect(drawn.set).toHaveLength(10);
    expect(new Set(drawn.set.map(({ name }) => name)).size).toBe(10);
    drawn.removeClass(9);
    expect(drawn.set).toHaveLength(9);
    expect(drawn.chosen).toBe(8);
  });

  test("come back after a removal, until something else is done", () => {
    drawn.addClass();
    drawEach(2, 1, 3);
    drawn.removeClass(0);
    expect(drawn.removed).toBe("Removed “class 1” with 2 drawings.");
    expect(counts()).toEqual(["class 2: 1", "class 3: 3"]);
    drawn.undo();
    expect(counts()).toEqual(["class 1: 2", "class 2: 1", "class 3: 3"]);
    drawn.remove(1, 0);
    drawn.choose(0);
    drawn.add(drawing(5));
    expect(drawn.removed).toBeNull();
    drawn.undo();
    expect(counts()).toEqual(["class 1: 3", "class 2: 0", "class 3: 3"]);
  });

  test("are there again after a reload, and where they are looked at after they were drawn in another tab", () => {
    drawn.rename(1, "squiggle");
    drawEach(1, 2);
    const again = new DrawnClasses(storage);
    expect(again.set).toEqual(drawn.set);
    expect([drawn.isChanged, again.isChanged]).toEqual([true, false]);
    drawEach(5, 0);
    vi.stubGlobal("window", new EventTarget());
    again.open()();
    again.choose(1);
    again.add(drawing(99));
    expect(readSet(storage.getItem(DRAWINGS_KEY))?.map(({ drawings }) => drawings.length)).toEqual([6, 3]);
    vi.unstubAllGlobals();
  });

  test("are said to be lost with the page where the browser keeps no more", () => {
    drawEach(1, 1);
    expect(drawn.isLost).toBe(false);
    storage.room = 10;
    drawn.add(drawing(3));
    expect(drawn.isLost).toBe(true);
    expect(drawn.total).toBe(3);
    storage.room = Infinity;
    drawn.add(drawing(4));
    expect(drawn.isLost).toBe(false);
    const nowhere = new DrawnClasses(null);
    nowhere.add(drawing(1));
    expect(nowhere.isLost).toBe(true);
  });

  test("hold no more than a browser keeps", () => {
    for (let i = 0; i < MOST_DRAWINGS + 5; i++) drawn.add(drawing(i));
    expect(drawn.total).toBe(MOST_DRAWINGS);
    expect(drawn.canAdd).toBe(false);
    expect(drawn.isLost).toBe(false);
  });

  test.each([
    ["nothing", null],
    ["no JSON", "{"],
    ["another version", '{"version":2,"classes":[]}'],
    ["one class", writtenSet(EMPTY_SET.slice(1))],
    [
      "an address of another kind",
      writtenSet([{ name: "a", drawings: ["https://example.org/"] }, ...EMPTY_SET]),
    ],
    ["a class without a name", '{"version":1,"classes":[{"drawings":[]},{"name":"b","drawings":[]}]}'],
  ])("are none where %s is kept", (_, text) => {
    if (text !== null) storage.setItem(DRAWINGS_KEY, text);
    expect(new DrawnClasses(storage).set).toEqual(EMPTY_SET);
    // Control: what was written is read.
    expect(readSet(writtenSet(EMPTY_SET))).toEqual(EMPTY_SET);
  });
});

suite("what is missing", () => {
  test("is said with how many are needed, and no longer once they are there", () => {
    expect(missingWords(drawn.set)).toBe(
      "0 of at least 10 drawings: 10 more are needed, some of “class 1” and “class 2”.",
    );
    drawEach(7, 1);
    expect(missingWords(drawn.set)).toBe("8 of at least 10 drawings: 2 more are needed.");
    drawEach(0, 2);
    expect(missingWords(drawn.set)).toBeNull();
    drawn.addClass();
    expect(missingWords(drawn.set)).toBe("“class 3” has no drawing yet: draw some, or remove it.");
  });

  test.each([
    ["  ", "Give it a name."],
    ["a/b", "No slash and no control character."],
    ["a\\b", "No slash and no control character."],
    ["\ud800", "No slash and no control character."],
    [".dot", "A name of another form is needed."],
    ["__MACOSX", "A name of another form is needed."],
    ["class 2 ", "Another class has that name."],
    ["x".repeat(41), "At most 40 characters."],
  ])("is another name where it is %j", (name, problem) => {
    expect(nameProblem(drawn.set, 0)).toBeNull();
    drawn.rename(0, name);
    expect(nameProblem(drawn.set, 0)).toBe(problem);
    expect(missingWords(drawn.set)).toBe("A name above is to be mended.");
  });
});

test("drawings become image files in a folder for each class, none of which is passed over", async () => {
  drawn.rename(0, " a circle ");
  drawEach(2, 1);
  const files = drawingFiles(drawn.set);
  expect(files.map(({ path }) => path)).toEqual([
    "drawings/a circle/001.png",
    "drawings/a circle/002.png",
    "drawings/class 2/001.png",
  ]);
  const given = await unpacked(files, 2 ** 20);
  expect(given.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual([
    "drawing 0",
    "drawing 1",
    "drawing 10",
  ]);
});
