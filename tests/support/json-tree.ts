/**
 * JSON as a tree that holds what no parsed value can: a key twice, keys in any order, NaN, numbers as somebody wrote them.
 * Edits are by path, and make a new tree.
 */

/** A text, number, truth value or null, as it is written. */
export interface JsonLeaf {
  readonly kind: "leaf";
  readonly text: string;
}

export interface JsonObject {
  readonly kind: "object";
  readonly entries: readonly (readonly [key: string, value: JsonTree])[];
}

export interface JsonList {
  readonly kind: "list";
  readonly items: readonly JsonTree[];
}

export type JsonTree = JsonLeaf | JsonObject | JsonList;

/** Keys of objects, places in lists; negative ones count from the end. */
export type Path = readonly (string | number)[];

export type JsonEdit = (root: JsonTree) => JsonTree;

/** A value, or what becomes of the tree that is edited. */
type Given = number | string | boolean | object | null | ((root: JsonTree) => JsonTree);

export function leaf(text: string): JsonLeaf {
  return { kind: "leaf", text };
}

/** Of anything that JSON can say. */
export function treeOf(value: unknown): JsonTree {
  if (Array.isArray(value)) return { kind: "list", items: value.map(treeOf) };
  if (typeof value !== "object" || value === null) return leaf(JSON.stringify(value));
  const entries = Object.entries(value).map(([key, one]) => [key, treeOf(one)] as const);
  return { kind: "object", entries };
}

export function parseTree(text: string): JsonTree {
  return treeOf(JSON.parse(text));
}

export function writeTree(tree: JsonTree): string {
  switch (tree.kind) {
    case "leaf":
      return tree.text;
    case "list":
      return `[${tree.items.map(writeTree).join(",")}]`;
    case "object":
      return `{${tree.entries.map(([key, value]) => `${JSON.stringify(key)}:${writeTree(value)}`).join(",")}}`;
  }
}

/** With the keys of each object in the order in which Holdfast writes them. */
export function inKeyOrder(tree: JsonTree): JsonTree {
  if (tree.kind === "leaf") return tree;
  if (tree.kind === "list") return { kind: "list", items: tree.items.map(inKeyOrder) };
  const entries = tree.entries.map(([key, value]) => [key, inKeyOrder(value)] as const);
  return { kind: "object", entries: entries.sort(([a], [b]) => keyOrder(a, b)) };
}

/** JavaScript has keys that are places in a list first. */
function keyOrder(a: string, b: string): number {
  const [isPlace, isPlaceToo] = [/^(?:0|[1-9]\d{0,8})$/.test(a), /^(?:0|[1-9]\d{0,8})$/.test(b)];
  if (isPlace && isPlaceToo) return Number(a) - Number(b);
  if (isPlace !== isPlaceToo) return isPlace ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What stands there; undefined where nothing does. */
export function lookUp(root: JsonTree, path: Path): JsonTree | undefined {
  let found: JsonTree | undefined = root;
  for (const step of path) {
    if (found?.kind === "object") found = found.entries.find(([key]) => key === step)?.[1];
    else if (found?.kind === "list") found = found.items.at(Number(step));
    else return undefined;
  }
  return found;
}

/** The text that stands there; undefined where none does. */
export function lookUpText(root: JsonTree, ...path: Path): string | undefined {
  const found = lookUp(root, path);
  if (found?.kind !== "leaf" || !found.text.startsWith('"')) return undefined;
  const value: unknown = JSON.parse(found.text);
  return typeof value === "string" ? value : undefined;
}

/** `change` gets what stands at `path`, and says what shall; undefined takes it out. What is not there is put there. */
export function changed(
  root: JsonTree,
  path: Path,
  change: (found: JsonTree | undefined) => JsonTree | undefined,
): JsonTree {
  const [step, ...rest] = path;
  if (step === undefined) return change(root) ?? leaf("null");
  const replaced = (found: JsonTree | undefined) =>
    rest.length === 0 ? change(found) : found && changed(found, rest, change);
  if (root.kind === "list") {
    const at = Number(step) < 0 ? root.items.length + Number(step) : Number(step);
    const item = replaced(root.items[at]);
    return { kind: "list", items: root.items.toSpliced(at, 1, ...(item === undefined ? [] : [item])) };
  }
  if (root.kind === "leaf") return root;
  const at = root.entries.findIndex(([key]) => key === step);
  const value = replaced(root.entries[at]?.[1]);
  const entry = value === undefined ? [] : [[String(step), value] as const];
  return { kind: "object", entries: root.entries.toSpliced(at < 0 ? root.entries.length : at, 1, ...entry) };
}

/** What stands there, for an edit that puts it elsewhere. */
export function at(...path: Path): (root: JsonTree) => JsonTree {
  return (root) => {
    const found = lookUp(root, path);
    if (found === undefined) throw new Error(`nothing stands at ${path.join(".")}`);
    return found;
  };
}

export function set(path: Path, value: Given): JsonEdit {
  return (root) => changed(root, path, () => given(root, value));
}

export function drop(...path: Path): JsonEdit {
  return (root) => changed(root, path, () => undefined);
}

/** Puts it behind the last one of a list. */
export function push(path: Path, value: Given): JsonEdit {
  return (root) =>
    changed(root, path, (list) =>
      list?.kind === "list" ? { kind: "list", items: [...list.items, given(root, value)] } : list,
    );
}

function given(root: JsonTree, value: Given): JsonTree {
  return typeof value === "function" ? (value as (root: JsonTree) => JsonTree)(root) : treeOf(value);
}
