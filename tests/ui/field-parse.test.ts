import { expect, suite, test } from "vitest";
import { type FormValue, formValue, parseField, rangeWords } from "../../src/ui/field-parse";
import {
  isOptimizerKind,
  optimizerFields,
  OPTIMIZER,
  SCHEDULE,
  scheduleFields,
  SEED,
  STEPS,
} from "../../src/tasks/training-fields";
import { TASKS } from "../../src/tasks/meta";
import type { Field } from "../../src/worker/protocol";

const SHARE: Field = { name: "share", label: "Share", kind: "number", default: 0.5, min: 0, max: 0.999999 };
const TIED: Field = { name: "tied", label: "Tied", kind: "switch", default: true };

suite("a typed value", () => {
  test.each<[Field, FormValue, unknown]>([
    [STEPS, "400", 400],
    [STEPS, " 1e3 ", 1000],
    [SEED, "0", 0],
    [SEED, "9007199254740991", Number.MAX_SAFE_INTEGER],
    [SHARE, "0", 0],
    [SHARE, "5e-1", 0.5],
    [TIED, false, false],
    [OPTIMIZER, "rmsprop", "rmsprop"],
  ])("%o takes %j", (field, raw, value) => expect(parseField(field, raw)).toEqual({ ok: true, value }));

  test.each<[Field, FormValue]>([
    [STEPS, ""],
    [STEPS, "ten"],
    [STEPS, "0"],
    [STEPS, "1.5"],
    [STEPS, "Infinity"],
    [STEPS, "10000001"],
    [SEED, "-1"],
    [SEED, "9007199254740992"],
    [SHARE, "1"],
    [SHARE, "NaN"],
    [OPTIMIZER, "lion"],
  ])("%o refuses %j and says why", (field, raw) => {
    const parsed = parseField(field, raw);
    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? "" : parsed.message).not.toBe("");
  });

  test("a range names the bounds that count, in full", () => {
    if (SHARE.kind !== "number" || SEED.kind !== "integer") throw new Error("fields of another kind");
    expect(rangeWords(SHARE)).toBe("From 0 to 0.999999.");
    expect(rangeWords(SEED)).toBe("0 or more.");
  });
});

test("every default, of every task and optimizer and schedule, is a value that its field takes", () => {
  const fields = [
    ...TASKS.flatMap((task) => task.fields),
    ...(OPTIMIZER.kind === "choice" ? OPTIMIZER.options : []).flatMap(({ value }) =>
      isOptimizerKind(value) ? optimizerFields(value) : [],
    ),
    ...(["constant", "cosine", "linear", "step"] as const).flatMap((kind) => scheduleFields(kind)),
    STEPS,
    SEED,
    SCHEDULE,
  ];
  for (const field of fields) {
    expect(parseField(field, formValue(field.default)), field.name).toEqual({
      ok: true,
      value: field.default,
    });
  }
});
