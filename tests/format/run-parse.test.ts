import { expect, suite, test } from "vitest";
import type { RunEvent } from "../../src/format/run";
import { encodeJson, parseJson } from "../../src/format/json";
import { parseRunEvents, parseRunRecord, runEvent } from "../../src/format/run-parse";
import { failure, smallRecord } from "./support";

const record = smallRecord("0".repeat(64), 3);

const events: readonly RunEvent[] = [
  { seq: 1, step: 0, time: 1, kind: "started" },
  { seq: 2, step: 3, time: 1.5, kind: "paused", why: "asked" },
  { seq: 3, step: 3, time: 2, kind: "resumed", from: 2, replayed: 1, why: "reload" },
  { seq: 4, step: 3, time: 3, kind: "changed", changes: { learningRate: 0.1 } },
  { seq: 5, step: 3, time: 3, kind: "changed", changes: { clipNorm: 0 } },
  { seq: 6, step: 3, time: 4, kind: "extended", steps: 10 },
  { seq: 7, step: 3, time: 4, kind: "extended", steps: 10, horizon: 20 },
  { seq: 8, step: 4, time: 5, kind: "forked", child: "r2" },
  { seq: 9, step: 5, time: 6, kind: "trouble", code: "bad-numbers", message: "The loss is NaN." },
  { seq: 10, step: 6, time: 7, kind: "finished" },
  { seq: 11, step: 6, time: 8, kind: "stopped" },
  { seq: 12, step: 7, time: 9, kind: "evaluated", metrics: { val_loss: 0.5 } },
  {
    seq: 13,
    step: 8,
    time: 9,
    kind: "stopped",
    best: { metric: "val_loss", step: 7, value: 0.5 },
  },
  { seq: 14, step: 9, time: 9, kind: "paused", why: "", spike: { step: 8, loss: 9, usual: 1 } },
];

const again = (value: unknown): unknown => parseJson(encodeJson(value), "The test", 1 << 20);

suite("a run record", () => {
  test("goes through JSON unchanged", () => {
    expect(parseRunRecord(again(record))).toEqual(record);
    const policy = {
      ...record.policy,
      evaluate: 5,
      stop: { metric: "val_loss", mode: "min", patience: 3 },
      spike: 4,
    } as const;
    expect(parseRunRecord(again({ ...record, policy })).policy).toEqual(policy);
    const forked = { ...record, parent: { run: "r1", step: 4 }, firstStep: 4 };
    expect(parseRunRecord(again(forked))).toEqual(forked);
    const from = { name: "weights.safetensors", bytes: 10, hash: "0".repeat(64) };
    expect(parseRunRecord(again({ ...record, from }))).toEqual({ ...record, from });
  });

  test("that says where it began says it wholly", () => {
    const from = { name: "weights.safetensors", bytes: 10, hash: "0".repeat(63) };
    expect(failure(() => parseRunRecord({ ...record, from })).message).toContain("run.from.hash");
    expect(failure(() => parseRunRecord({ ...record, from: null })).message).toContain("run.from");
  });

  test.each(Object.keys(record))("without %s is corrupt and names it", (key) => {
    const error = failure(() => parseRunRecord({ ...record, [key]: undefined }));
    expect(error.code).toBe("corrupt");
    expect(error.message).toContain(`run.${key}`);
  });

  test.each([null, [], "text", 3, undefined])("is not %o", (value) => {
    expect(failure(() => parseRunRecord(value)).code).toBe("corrupt");
  });

  test("keeps no key that was not asked for", () => {
    expect(failure(() => parseRunRecord({ ...record, toString: 1 })).code).toBe("corrupt");
    const polluting: unknown = JSON.parse('{"__proto__":{"a":1}}');
    expect(failure(() => parseRunRecord({ ...record, config: polluting })).code).toBe("corrupt");
    expect(Reflect.get({}, "a")).toBeUndefined();
  });
});

suite("an event", () => {
  test.each(events)("$kind goes through JSON unchanged", (event) => {
    expect(runEvent(again(event), "event")).toEqual(event);
  });

  test.each<[string, unknown]>([
    ["event.kind", { seq: 1, step: 0, time: 1, kind: "exploded" }],
    ["event.kind", { seq: 1, step: 0, time: 1, kind: "toString" }],
    ["event.kind", { seq: 1, step: 0, time: 1 }],
    ["event.why", { seq: 1, step: 0, time: 1, kind: "paused" }],
    ["event.horizon", { seq: 1, step: 0, time: 1, kind: "extended", steps: 1, horizon: null }],
    [
      "event.changes.learningRate",
      { seq: 1, step: 0, time: 1, kind: "changed", changes: { learningRate: Infinity } },
    ],
    ["event.metrics.a", { seq: 1, step: 0, time: 1, kind: "evaluated", metrics: { a: null } }],
    [
      "event.best.step",
      { seq: 1, step: 0, time: 1, kind: "stopped", best: { metric: "a", step: -1, value: 1 } },
    ],
    ["event.changes has a field", { seq: 1, step: 0, time: 1, kind: "changed", changes: { seed: 1 } }],
  ])("with a wrong %s is corrupt and names it", (path, value) => {
    const error = failure(() => runEvent(value, "event"));
    expect(error.code).toBe("corrupt");
    expect(error.message).toContain(path);
  });

  test("in a list must be numbered upwards", () => {
    expect(parseRunEvents(again(events))).toEqual(events);
    expect(failure(() => parseRunEvents(events.toReversed())).message).toContain("events[1].seq");
  });
});
