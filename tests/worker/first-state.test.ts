import { expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { concat, sha256, toHex, type Bytes } from "../../src/format/bytes";
import { writeSafetensors } from "../../src/format/safetensors";
import type { NamedTensor } from "../../src/format/tensors";
import { firstState, originOf } from "../../src/worker/first-state";

const SHAPE = {
  parameters: [
    { name: "line/weight", shape: [2, 3] },
    { name: "line/bias", shape: [3] },
  ],
  slots: ["firstMoment", "secondMoment"],
  counters: ["t"],
};

const WEIGHT = [1, 2, 3, 4, 5, 6];
const BIAS = [-1, 0, 1];

interface Foreign {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Bytes;
}

const f32 = (shape: readonly number[], values: readonly number[]): Foreign => ({
  dtype: "F32",
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

const WEIGHTS = { "line/weight": f32([2, 3], WEIGHT), "line/bias": f32([3], BIAS) };
const SLOTS = {
  "slot/firstMoment/line/weight": f32([2, 3], [0, 0, 0, 1, 1, 1]),
  "slot/firstMoment/line/bias": f32([3], [7, 8, 9]),
  "slot/secondMoment/line/weight": f32([2, 3], [2, 2, 2, 3, 3, 3]),
  "slot/secondMoment/line/bias": f32([3], [4, 5, 6]),
};
const COUNTER = { "counter/t": f32([], [12]) };

/** As another tool writes it: in the order given, with a header of any length. */
function foreign(
  tensors: Readonly<Record<string, Foreign>>,
  metadata?: Readonly<Record<string, string>>,
  padding = "",
): Blob {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
    const start = end;
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: [start, end] }] as const;
  });
  const header = { ...Object.fromEntries(entries), ...(metadata && { __metadata__: metadata }) };
  const json = new TextEncoder().encode(`${JSON.stringify(header)}${padding}`);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(json.length), true);
  return new Blob([length, json, ...Object.values(tensors).map(({ bytes }) => bytes)]);
}

const read = (file: Blob) => firstState({ file, name: "weights.safetensors" }, SHAPE);

async function refusal(file: Blob): Promise<HoldfastError> {
  try {
    await read(file);
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error("It was read.");
}

async function valuesIn(file: Blob): Promise<Readonly<Record<string, readonly number[]>>> {
  const { tensors } = await read(file);
  return Object.fromEntries(tensors.map(({ name, values }) => [name, [...values]]));
}

suite("the first state of a run, from a file", () => {
  test("of weights alone: slots and counters begin at zero", async () => {
    const { tensors, scalars } = await read(foreign(WEIGHTS));
    expect(scalars).toEqual({ step: 0, samples: 0, counters: { t: 0 } });
    expect(tensors.map(({ name }) => name)).toEqual([
      "param/line/weight",
      "param/line/bias",
      ...Object.keys(SLOTS).filter((name) => name.endsWith("weight")),
      ...Object.keys(SLOTS).filter((name) => name.endsWith("bias")),
    ]);
    expect((await valuesIn(foreign(WEIGHTS)))["param/line/weight"]).toEqual(WEIGHT);
    expect((await valuesIn(foreign(WEIGHTS)))["slot/secondMoment/line/bias"]).toEqual([0, 0, 0]);
  });

  test("of everything, in any order, under either name", async () => {
    const { "line/weight": weight, "line/bias": bias } = WEIGHTS;
    const file = foreign({ ...COUNTER, ...SLOTS, "param/line/bias": bias, "line/weight": weight });
    expect((await read(file)).scalars.counters).toEqual({ t: 12 });
    expect(await valuesIn(file)).toMatchObject({
      "param/line/weight": WEIGHT,
      "param/line/bias": BIAS,
      "slot/firstMoment/line/bias": [7, 8, 9],
      "slot/secondMoment/line/weight": [2, 2, 2, 3, 3, 3],
    });
  });

  test("of a checkpoint of ours, whose counters stand in its metadata, and whose step is no matter", async () => {
    const tensors = Object.entries({ ...WEIGHTS, ...SLOTS }).map(([name, { shape, bytes }]): NamedTensor => {
      const full = name.startsWith("slot/") ? name : `param/${name}`;
      return { name: full, dtype: "float32", shape, values: new Float32Array(bytes.slice().buffer) };
    });
    const holdfast = JSON.stringify({ step: 20, samples: 640, counters: { t: 20 }, record: {} });
    const file = new Blob([concat(writeSafetensors(tensors, { holdfast }))]);
    expect((await read(file)).scalars).toEqual({ step: 0, samples: 0, counters: { t: 20 } });
    expect((await valuesIn(file))["slot/firstMoment/line/bias"]).toEqual([7, 8, 9]);
  });

  test.each(["", " ", "  \n", " ".repeat(300)])("with a header that ends in %o", async (padding) => {
    expect((await valuesIn(foreign(WEIGHTS, { format: "pt" }, padding)))["param/line/bias"]).toEqual(BIAS);
  });

  test("of other kinds of floats, beginning at odd bytes", async () => {
    const half = {
      dtype: "F16",
      shape: [3],
      bytes: new Uint8Array(Uint16Array.of(0xbc00, 0, 0x3c00).buffer),
    };
    const double = { dtype: "F64", shape: [2, 3], bytes: new Uint8Array(Float64Array.from(WEIGHT).buffer) };
    const values = await valuesIn(foreign({ "line/bias": half, "line/weight": double }));
    expect(values["param/line/weight"]).toEqual(WEIGHT);
    expect(values["param/line/bias"]).toEqual(BIAS);
  });

  test.each<[string, Foreign]>([
    ["I64", { dtype: "I64", shape: [1], bytes: new Uint8Array(BigInt64Array.of(12n).buffer) }],
    ["I32", { dtype: "I32", shape: [], bytes: new Uint8Array(Int32Array.of(12).buffer) }],
    ["F64", { dtype: "F64", shape: [1, 1], bytes: new Uint8Array(Float64Array.of(12).buffer) }],
  ])("with a counter that is %s", async (_dtype, counter) => {
    const file = foreign({ ...WEIGHTS, ...SLOTS, "counter/t": counter });
    expect((await read(file)).scalars.counters).toEqual({ t: 12 });
  });

  test("is known by its name, its size and its SHA-256", async () => {
    const file = foreign(WEIGHTS);
    const bytes = new Uint8Array(await file.arrayBuffer());
    expect(await originOf({ file, name: "a" })).toEqual({
      name: "a",
      bytes: bytes.length,
      hash: toHex(await sha256(bytes)),
    });
  });
});

suite("a file that does not fit is refused by name", () => {
  test("whichever bit of its header is flipped", async () => {
    const whole = new Uint8Array(await foreign({ ...WEIGHTS, ...SLOTS, ...COUNTER }).arrayBuffer());
    const header = 8 + Number(new DataView(whole.buffer).getBigUint64(0, true));
    let refused = 0;
    for (let bit = 0; bit < 8 * header; bit++) {
      const file = whole.slice();
      file[bit >> 3] = (file[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await read(new Blob([file])).catch((error: unknown) => {
        expect(error).toBeInstanceOf(HoldfastError);
        refused++;
      });
    }
    expect(refused).toBe(8 * header);
  });

  const { "line/weight": weight, "line/bias": bias } = WEIGHTS;
  const cases: readonly [string, string, Blob, readonly string[]][] = [
    ["a missing weight", "invalid", foreign({ "line/weight": weight }), ['"line/bias"', "missing", "[3]"]],
    ["an unknown one", "invalid", foreign({ ...WEIGHTS, head: bias }), ['"head"', "leave it out"]],
    [
      "another shape",
      "invalid",
      foreign({ ...WEIGHTS, "line/bias": f32([4], [1, 2, 3, 4]) }),
      ["[4]", "[3]"],
    ],
    [
      "weights the other way round",
      "invalid",
      foreign({ ...WEIGHTS, "line/weight": f32([3, 2], WEIGHT) }),
      ['"line/weight"', "Transpose"],
    ],
    ["a weight twice", "invalid", foreign({ ...WEIGHTS, "param/line/bias": bias }), ["both", "line/bias"]],
    [
      "a missing slot",
      "invalid",
      foreign({ ...WEIGHTS, ...COUNTER, "slot/firstMoment/line/weight": weight }),
      ['"slot/secondMoment/line/weight"', "none"],
    ],
    ["a missing counter", "invalid", foreign({ ...WEIGHTS, ...SLOTS }), ['"counter/t"']],
    [
      "a counter that counts nothing",
      "invalid",
      foreign({ ...WEIGHTS, ...SLOTS, "counter/t": f32([], [1.5]) }),
      ['"t"', "1.5"],
    ],
    [
      "two counters in one",
      "invalid",
      foreign({ ...WEIGHTS, ...SLOTS, "counter/t": f32([2], [1, 1]) }),
      ['"counter/t"', "[2]"],
    ],
    ["a counter without slots", "invalid", foreign({ ...WEIGHTS, ...COUNTER }), ['"counter/t"', "leave out"]],
    [
      "slots of another optimizer",
      "invalid",
      foreign({ ...WEIGHTS, ...SLOTS, ...COUNTER, "slot/momentum/line/bias": bias }),
      ['"slot/momentum/line/bias"', "optimizer"],
    ],
    [
      "numbers that are none",
      "invalid",
      foreign({ ...WEIGHTS, "line/bias": f32([3], [1, Number.NaN, 1]) }),
      ['"line/bias"', "NaN", "place 1"],
    ],
    [
      "numbers too large for float32",
      "invalid",
      foreign({
        ...WEIGHTS,
        "line/bias": { dtype: "F64", shape: [3], bytes: new Uint8Array(Float64Array.of(0, 0, 1e300).buffer) },
      }),
      ['"line/bias"', "Infinity", "place 2"],
    ],
    ...["I64", "U64", "F8_E4M3", "BOOL", "C64"].map((dtype): [string, string, Blob, readonly string[]] => {
      const bytes = new Uint8Array(["I64", "U64", "C64"].includes(dtype) ? 24 : 3);
      return [
        dtype,
        "unsupported",
        foreign({ ...WEIGHTS, "line/bias": { dtype, shape: [3], bytes } }),
        ['"line/bias"', dtype, "F32, F64, F16 and BF16"],
      ];
    }),
    ["nothing", "corrupt", new Blob([]), ['"weights.safetensors" is no safetensors file']],
    [
      "a text",
      "corrupt",
      new Blob(["These are no weights, but a text."]),
      ['"weights.safetensors" is no safetensors file: it does not begin as one.'],
    ],
    [
      "a file of Keras",
      "corrupt",
      new Blob([Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10)]),
      ["HDF5"],
    ],
    [
      "a header of 2 EiB",
      "corrupt",
      new Blob([Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 32, 0x7b)]),
      ["begin as one"],
    ],
    ["an end that is cut off", "corrupt", foreign(WEIGHTS).slice(0, -1), ["cut short"]],
    ["something behind its end", "corrupt", new Blob([foreign(WEIGHTS), "x"]), ["behind"]],
    ["metadata that is broken", "corrupt", foreign({ ...WEIGHTS, ...SLOTS }, { holdfast: "{" }), []],
  ];
  test.each(cases)("%s", async (_what, code, file, words) => {
    const error = await refusal(file);
    expect(error.code).toBe(code);
    for (const word of words) expect(error.message).toContain(word);
  });
});
