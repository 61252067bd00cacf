import { expect, suite, test } from "vitest";
import { encodeJournal, parseJournal } from "../../src/format/journal";
import { failure } from "./support";

const rows = {
  from: 5,
  loss: new Float32Array(new Uint32Array([0x7fc00001, 0x3f800000]).buffer),
  rate: Float32Array.of(0.1, -0),
  ms: Float32Array.of(3.5, 0),
};

suite("journal rows", () => {
  test("keep every bit, from an odd place too", () => {
    const bytes = encodeJournal(rows);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const back = parseJournal(shifted.subarray(1));
    expect(back).toEqual(rows);
    expect([...new Uint32Array(back.loss.buffer)]).toEqual([0x7fc00001, 0x3f800000]);
    expect(Object.is(back.rate[1], -0)).toBe(true);
  });

  test("of no steps are rows too", () => {
    const none = { from: 1, loss: new Float32Array(0), rate: new Float32Array(0), ms: new Float32Array(0) };
    expect(parseJournal(encodeJournal(none))).toEqual(none);
  });

  test("of another length, version or first step are refused", () => {
    const bytes = encodeJournal(rows);
    for (let length = 0; length < bytes.length; length++) {
      expect(failure(() => parseJournal(bytes.subarray(0, length))).code).toBe("corrupt");
    }
    const newer = bytes.slice();
    newer[0] = 2;
    expect(failure(() => parseJournal(newer)).code).toBe("unsupported");
    const zero = bytes.slice();
    zero[4] = 0;
    expect(failure(() => parseJournal(zero)).code).toBe("corrupt");
    const many = bytes.slice().fill(0xff, 12, 16);
    expect(failure(() => parseJournal(many)).code).toBe("corrupt");
  });

  test("with columns of different lengths cannot be written", () => {
    expect(failure(() => encodeJournal({ ...rows, ms: new Float32Array(1) })).code).toBe("invalid");
  });
});
