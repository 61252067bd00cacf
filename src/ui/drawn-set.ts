/** Classes that a person draws examples of: their shape, what is still missing, how they are kept, and the files they become. */
import { LEAST_IMAGES } from "../tasks/infos/digits";
import type { DataFile } from "../worker/protocol";
import { count } from "./format";

export interface DrawnClass {
  readonly name: string;
  /** Each a PNG as a `data:` address: shown, kept and trained on as it is. */
  readonly drawings: readonly string[];
}

export type DrawnSet = readonly DrawnClass[];

export const LEAST_CLASSES = 2;
export const MOST_CLASSES = 10;
/** In all. The browser keeps some megabytes for a site; a drawing takes about half a kilobyte. */
export const MOST_DRAWINGS = 500;
const MOST_NAME = 40;
/** Of the contents; one more whenever they mean something else. */
const VERSION = 1;
const PNG = "data:image/png;base64,";

export const EMPTY_SET: DrawnSet = [
  { name: "class 1", drawings: [] },
  { name: "class 2", drawings: [] },
];

export function drawingsIn(set: DrawnSet): number {
  return set.reduce((sum, { drawings }) => sum + drawings.length, 0);
}

/** What is wrong with the name of the class at `place`; null where nothing is. It becomes the name of a folder. */
export function nameProblem(set: DrawnSet, place: number): string | null {
  const name = set[place]?.name.trim() ?? "";
  if (name === "") return "Give it a name.";
  if (name.length > MOST_NAME) return `At most ${MOST_NAME} characters.`;
  if (/[/\\\p{Control}\p{Surrogate}]/u.test(name)) return "No slash and no control character.";
  // As what systems hide beside a person's files, it would be passed over.
  if (/^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/i.test(name)) return "A name of another form is needed.";
  const isTwice = set.some((other, at) => at !== place && other.name.trim() === name);
  return isTwice ? "Another class has that name." : null;
}

/** Why these cannot be trained on yet, and what to do; null where they can. */
export function missingWords(set: DrawnSet): string | null {
  if (set.some((_, place) => nameProblem(set, place) !== null)) return "A name above is to be mended.";
  const empty = set.filter(({ drawings }) => drawings.length === 0);
  const names = empty.map(({ name }) => `“${name.trim()}”`).join(" and ");
  const drawn = drawingsIn(set);
  if (drawn < LEAST_IMAGES)
    return `${count(drawn)} of at least ${LEAST_IMAGES} drawings: ${LEAST_IMAGES - drawn} more are needed${empty.length === 0 ? "" : `, some of ${names}`}.`;
  if (empty.length === 0) return null;
  const [has, it] = empty.length === 1 ? ["has", "it"] : ["have", "them"];
  const canGo = set.length - empty.length >= LEAST_CLASSES;
  return `${names} ${has} no drawing yet: draw some${canGo ? `, or remove ${it}` : ""}.`;
}

/** A folder for each class, as the task reads images. */
export function drawingFiles(set: DrawnSet): readonly DataFile[] {
  return set.flatMap(({ name, drawings }) =>
    drawings.map((drawing, i) => ({
      path: `drawings/${name.trim()}/${String(i + 1).padStart(3, "0")}.png`,
      file: new Blob([bytesOf(drawing)], { type: "image/png" }),
    })),
  );
}

function bytesOf(drawing: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(drawing.slice(PNG.length)), (character) => character.charCodeAt(0));
}

export function writtenSet(set: DrawnSet): string {
  return JSON.stringify({ version: VERSION, classes: set });
}

/** Never throws; null where nothing was kept, or nothing that can be used. */
export function readSet(text: string | null): DrawnSet | null {
  try {
    const raw: unknown = JSON.parse(text ?? "null");
    if (!isRecord(raw) || raw["version"] !== VERSION || !Array.isArray(raw["classes"])) return null;
    const classes = raw["classes"].filter(isClass);
    const isWhole = classes.length === raw["classes"].length;
    const fits = classes.length >= LEAST_CLASSES && classes.length <= MOST_CLASSES;
    return isWhole && fits && drawingsIn(classes) <= MOST_DRAWINGS ? classes : null;
  } catch {
    return null;
  }
}

function isClass(raw: unknown): raw is DrawnClass {
  return (
    isRecord(raw) &&
    typeof raw["name"] === "string" &&
    Array.isArray(raw["drawings"]) &&
    raw["drawings"].every(isDrawing)
  );
}

function isDrawing(raw: unknown): raw is string {
  return typeof raw === "string" && /^data:image\/png;base64,[A-Za-z0-9+/]+={0,2}$/.test(raw);
}

function isRecord(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === "object" && raw !== null;
}
