/** JSON that is almost that: numbers at edges, texts with teeth, fields and entries deleted, doubled, swapped, renamed. */
import fc from "fast-check";
import { leaf, treeOf, type JsonTree } from "../support/json-tree";
import type { Choices } from "../simulation/random";
import { sampled } from "./input";

const NUMBERS = [
  ...["0", "-0", "-1", "1", "2", "3", "0.5", "1.5", "255", "256", "65535", "65536", "1000001"],
  ...["2147483647", "2147483648", "4294967295", "4294967296", "9007199254740991", "9007199254740992"],
  ...["8640000000000001", "1e21", "1e308", "-1e308", "5e-324", "1e999", "-1e999"],
  ...["NaN", "Infinity", "01", "1.", "0x10", "+1"],
];

const TEXTS = [
  ...["", " ", "x", "0", "1", "10", "nan", "inf", "__proto__", "constructor", "prototype", "toString"],
  ...[
    "..",
    "../x",
    "a/b",
    "a\\b",
    "C:\\x",
    "%2e%2e",
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\t=1",
    "\r",
    "a,b",
    'a"b',
    "\n",
  ],
  ...["\ud800", "\udc00x", "\u0000", "\u202egpj", "\ufeff", "\u2028", "\u{1f600}", "é", "e\u0301"],
  ...[
    "r1",
    "F32",
    "F16",
    "BOOL",
    "float32",
    "adam",
    "steps",
    "finished",
    "auto",
    "f".repeat(64),
    "0".repeat(64),
  ],
  ...[40, 41, 200, 201, 512, 513, 4000, 4001, 4096, 4097].map((length) => "x".repeat(length)),
  ...["\u{1f600}".repeat(256), `${"x".repeat(505)}\u{1f600}y`],
].map((text) => JSON.stringify(text));

/** A text of a mebibyte that JSON writes with six letters each: seldom, since it takes long. */
const HUGE = leaf(JSON.stringify("\u0001".repeat(1 << 20)));
const HUGE_ONCE_IN = 20_000;

const OTHERS = ["null", "true", "false", '{"a":{"b":[1]}}'];
const KEYS = [
  "__proto__",
  "constructor",
  "",
  "x",
  "0",
  "10",
  "version",
  "kind",
  "step",
  "digest",
  "\u{1f600}",
];

type Child = readonly [key: string, value: JsonTree];

/** One to three changes, anywhere in it. */
export function mutatedTree(tree: JsonTree, choices: Choices): JsonTree {
  let changed = tree;
  for (let left = choices.once(2) ? 1 : 1 + choices.below(3); left > 0; left--)
    changed = atSlot(changed, choices.below(Math.max(1, slotsIn(changed))), (children, at) =>
      once(children, at, changed, choices),
    );
  return changed;
}

/** How many values stand in it, at whatever depth. */
function slotsIn(tree: JsonTree): number {
  return childrenOf(tree).reduce((sum, [, value]) => sum + 1 + slotsIn(value), 0);
}

function childrenOf(tree: JsonTree): readonly Child[] {
  if (tree.kind === "object") return tree.entries;
  return tree.kind === "list" ? tree.items.map((item) => ["", item] as const) : [];
}

function withChildren(tree: JsonTree, children: readonly Child[]): JsonTree {
  if (tree.kind === "object") return { kind: "object", entries: children };
  return tree.kind === "list" ? { kind: "list", items: children.map(([, value]) => value) } : tree;
}

function atSlot(
  tree: JsonTree,
  slot: number,
  change: (children: readonly Child[], at: number) => readonly Child[],
): JsonTree {
  const children = childrenOf(tree);
  let left = slot;
  for (const [at, [key, value]] of children.entries()) {
    if (left === 0) return withChildren(tree, change(children, at));
    left -= 1;
    const inside = slotsIn(value);
    if (left < inside) return withChildren(tree, children.with(at, [key, atSlot(value, left, change)]));
    left -= inside;
  }
  return tree;
}

function once(children: readonly Child[], at: number, root: JsonTree, choices: Choices): readonly Child[] {
  const [key, value] = children[at]!;
  const other = choices.below(children.length);
  switch (choices.below(12)) {
    case 0:
      return children.toSpliced(at, 1);
    case 1:
      return children.toSpliced(at, 0, [key, value]);
    case 2:
      return children.with(at, children[other]!).with(other, [key, value]);
    case 3:
      return children.with(at, [key, children[other]![1]]);
    case 4:
      return children.with(at, [choices.of(KEYS), value]);
    case 5:
      return children.toSpliced(at, 0, [choices.of(KEYS), edgeLeaf(choices)]);
    case 6:
      return children.with(at, [key, valueAt(root, choices.below(slotsIn(root)))]);
    case 7:
      return children.with(at, [key, arbitrary(choices)]);
    default:
      return children.with(at, [key, alike(value, choices)]);
  }
}

function valueAt(root: JsonTree, slot: number): JsonTree {
  let found = root;
  atSlot(root, slot, (children, at) => {
    found = children[at]![1];
    return children;
  });
  return found;
}

function edgeLeaf(choices: Choices): JsonTree {
  if (choices.once(HUGE_ONCE_IN)) return HUGE;
  return leaf(choices.of(choices.of([NUMBERS, TEXTS, OTHERS])));
}

function arbitrary(choices: Choices): JsonTree {
  return treeOf(sampled(fc.jsonValue({ maxDepth: 2 }), choices));
}

/** Another value of the same kind: what is checked behind the kind is reached so. */
function alike(value: JsonTree, choices: Choices): JsonTree {
  if (value.kind !== "leaf") return choices.once(4) ? edgeLeaf(choices) : shuffled(value, choices);
  const { text } = value;
  if (!text.startsWith('"')) {
    const number = Number(text);
    if (choices.once(2) || !Number.isFinite(number)) return leaf(choices.of(NUMBERS));
    return leaf(String(choices.of([number + 1, number - 1, number * 2, -number, number + 0.5])));
  }
  if (choices.once(3) || text.length < 3) return choices.once(HUGE_ONCE_IN) ? HUGE : leaf(choices.of(TEXTS));
  const place = 1 + choices.below(text.length - 2);
  return leaf(
    `${text.slice(0, place)}${choices.of(["0", "a", "9", " ", "."])}${text.slice(place + choices.below(2))}`,
  );
}

function shuffled(value: JsonTree, choices: Choices): JsonTree {
  const children = [...childrenOf(value)];
  if (choices.once(3)) return withChildren(value, []);
  if (choices.once(3)) return withChildren(value, [...children, ...children]);
  return withChildren(value, children.reverse());
}
