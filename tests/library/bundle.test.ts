import { expect, suite, test } from "vitest";
import { openBundle, readSafetensors, writeSafetensors } from "../../src/bundles";
import { digestOf } from "../../src/format/digest";
import { exportRuns } from "../support/bundles";
import { codeOf, DATA, sampleRequest, sampleRows, sampleState } from "../support/run-samples";
import { begun, RUN } from "../support/store-parts";

async function file(form = {}) {
  const { manager, lease, parts } = await begun();
  await manager.save(lease, sampleRequest(2, sampleRows(1, 2)));
  return exportRuns(manager, parts, [RUN], form);
}

suite("a bundle without a store", () => {
  test.each([{}, { isCompact: true }])("gives states, losses and data: %j", async (form) => {
    const bundle = await openBundle(await file(form));
    expect(bundle.runs.map(({ record }) => record.id)).toEqual([RUN]);
    for (const step of [0, 2])
      expect(await digestOf(await bundle.state(RUN, step))).toBe(await digestOf(sampleState(step)));
    expect((await bundle.journal(RUN))?.loss).toEqual(sampleRows(1, 2).loss);
    expect(await bundle.data(RUN)).toEqual(DATA);
  });

  test("says what it has not", async () => {
    const bundle = await openBundle(await file({ hasData: false }));
    expect(await codeOf(bundle.state(RUN, 1))).toBe("missing");
    expect(await codeOf(bundle.state("r9", 0))).toBe("missing");
    expect(await codeOf((async () => bundle.data(RUN))())).toBe("missing");
  });

  test("that is damaged does not open; nor does one that nobody waits for", async () => {
    const whole = await file();
    const bytes = new Uint8Array(await whole.arrayBuffer());
    bytes[bytes.length >> 1]! ^= 1;
    expect(await codeOf(openBundle(new Blob([bytes])))).toBe("corrupt");
    expect(await codeOf(openBundle(whole, { signal: AbortSignal.abort() }))).toBe("cancelled");
  });

  test("safetensors go out and come back", () => {
    const { tensors } = sampleState(3);
    const parts = writeSafetensors(tensors, { by: "a test" });
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const whole = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    const read = readSafetensors(whole);
    expect(read.metadata).toEqual({ by: "a test" });
    expect(new Set(read.tensors.map(({ name }) => name))).toEqual(new Set(tensors.map(({ name }) => name)));
  });
});
