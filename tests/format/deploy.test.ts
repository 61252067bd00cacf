import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, suite, test } from "vitest";
import { HoldfastError } from "../../src/errors";
import { concat, type Bytes } from "../../src/format/bytes";
import { deployed, deployedLayersModel, deployedSafetensors } from "../../src/format/deploy";
import { float32Of, halvesOf } from "../../src/format/float-values";
import { parseStoredHead, SAFETENSORS_LENGTH_BYTES } from "../../src/format/safetensors-head";
import type { NamedTensor } from "../../src/format/tensors";
import { ZipReader } from "../../src/format/zip";
import { bytesSource } from "../support/bytes-source";

function floats(name: string, shape: readonly number[], value: (at: number) => number): NamedTensor {
  const count = shape.reduce((product, axis) => product * axis, 1);
  return {
    name,
    dtype: "float32",
    shape,
    values: Float32Array.from({ length: count }, (_, at) => value(at)),
  };
}

const STATE: readonly NamedTensor[] = [
  floats("param/hidden0/weight", [2, 3], (at) => Math.sin(at + 1)),
  floats("param/hidden0/bias", [3], (at) => at / 7),
  floats("param/output/weight", [3, 1], (at) => 3 - at),
  floats("param/output/bias", [1], () => -0.25),
  floats("slot/momentum/hidden0/weight", [2, 3], () => 9),
];

suite("float16", () => {
  test("every one of the 65,536 comes back, but for which NaN it was", () => {
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
    const values = float32Of("F16", new Uint8Array(all.buffer))!;
    const again = halvesOf(values);
    const isNaN = (bits: number) => (bits & 0x7fff) > 0x7c00;
    const wrong = [...again].filter((bits, at) => bits !== all[at] && !(isNaN(bits) && isNaN(all[at]!)));
    expect(wrong).toEqual([]);
  });

  test("a number between two goes to the nearer, and from the middle to the even one", () => {
    const finite = Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits);
    const values = float32Of("F16", new Uint8Array(finite.buffer))!;
    const wrong: number[] = [];
    for (let at = 0; at + 1 < values.length; at++) {
      const [low, high] = [values[at]!, values[at + 1]!];
      const middle = (low + high) / 2;
      const nudge = (high - low) / 1024;
      const given = Float32Array.of(middle - nudge, middle, middle + nudge, -middle);
      const even = at % 2 === 0 ? at : at + 1;
      const wanted = [at, even, at + 1, 0x8000 | even];
      if ([...halvesOf(given)].some((bits, index) => bits !== wanted[index])) wrong.push(at);
    }
    expect(wrong).toEqual([]);
  });

  test("what is too large is refused by name", () => {
    const large = floats("param/hidden0/weight", [2], (at) => (at === 1 ? 65_520 : 65_519));
    expect(() => deployed([large], "float16")).toThrow(/"hidden0\/weight" has 65520 at place 1/);
    expect(() => deployed([large], "float32")).not.toThrow();
  });
});

suite("deployed weights", () => {
  test("as float32 are the parameters bit for bit, by their bare names, and nothing of the optimizer", () => {
    const { stored, values } = deployed(STATE, "float32");
    expect(stored.map(({ name }) => name)).toEqual([
      "hidden0/weight",
      "hidden0/bias",
      "output/weight",
      "output/bias",
    ]);
    expect(values).toEqual(STATE.slice(0, 4));
  });

  test("as int8 are off by half a step of their channel at most, biases exact", () => {
    const { stored, values } = deployed(STATE, "int8");
    const scale = stored.find(({ name }) => name === "hidden0/weight.scale")!;
    const scales = new Float32Array(scale.bytes.slice().buffer);
    for (const [index, tensor] of values.entries()) {
      const was = STATE[index]!.values;
      for (const [at, value] of [...tensor.values].entries()) {
        const bound =
          tensor.shape.length < 2 ? 0 : tensor.name.includes("hidden") ? scales[at % 3]! / 2 : 3 / 254;
        expect(Math.abs(value - was[at]!)).toBeLessThanOrEqual(bound * (1 + 1e-5));
      }
    }
    expect(deployed([floats("param/zeros", [2, 2], () => 0)], "int8").values[0]?.values).toEqual(
      new Float32Array(4),
    );
  });

  test.each(["float32", "float16", "int8"] as const)(
    "as %s make a safetensors file that is whole",
    (dtype) => {
      const weights = deployed(STATE, dtype);
      const file = concat([...deployedSafetensors(weights, { step: "7" })]);
      const length = Number(new DataView(file.buffer).getBigUint64(0, true));
      const begin = SAFETENSORS_LENGTH_BYTES + length;
      const head = parseStoredHead(file.subarray(SAFETENSORS_LENGTH_BYTES, begin));
      expect(begin + head.bytes).toBe(file.length);
      expect(head.metadata).toEqual({ step: "7" });
      for (const { name, start, end } of head.tensors) {
        const tensor = weights.stored.find((one) => one.name === name);
        expect(file.slice(begin + start, begin + end)).toEqual(tensor?.bytes.slice());
      }
    },
  );
});

interface Artifacts {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly weights?: tf.io.WeightsManifestEntry[] }[];
}

/** What else is in it, TensorFlow.js looks at. */
function isModel(value: unknown): value is Artifacts {
  return (
    typeof value === "object" && value !== null && "modelTopology" in value && "weightsManifest" in value
  );
}

suite("a deployed LayersModel", () => {
  beforeAll(async () => {
    await tf.setBackend("cpu");
  });

  const LAYERS = [
    { name: "hidden0", activation: "tanh" },
    { name: "output", activation: "linear" },
  ] as const;

  async function loaded(archive: readonly Bytes[]): Promise<tf.LayersModel> {
    const bytes = concat([...archive]);
    const zip = await ZipReader.open(bytesSource(bytes, 1 << 20));
    const files = new Map<string, Bytes>();
    for (const entry of zip.entries)
      for await (const piece of zip.pieces(entry)) files.set(entry.name, piece.slice());
    const json: unknown = JSON.parse(new TextDecoder().decode(files.get("model.json")));
    if (!isModel(json)) throw new Error("model.json is none");
    const { modelTopology, weightsManifest } = json;
    const [{ weights = [] } = {}] = weightsManifest;
    const weightData = files.get("weights.bin")!.slice().buffer;
    return tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: weights, weightData }));
  }

  test.each(["float32", "float16"] as const)(
    "is loaded by TensorFlow.js, as %s, and predicts as the weights do",
    async (dtype) => {
      const weights = deployed(STATE, dtype);
      const model = await loaded(deployedLayersModel(weights, LAYERS));
      const x = tf.tensor2d([0.5, -1, 2, 0.25], [2, 2]);
      const by = (name: string) => {
        const found = weights.values.find((tensor) => tensor.name === `param/${name}`)!;
        return tf.tensor(found.values, [...found.shape]);
      };
      const hidden = tf.tanh(tf.add(tf.matMul(x, by("hidden0/weight")), by("hidden0/bias")));
      const wanted = tf.add(tf.matMul(hidden, by("output/weight")), by("output/bias"));
      const made = model.predict(x) as tf.Tensor;
      expect([...(await made.data())]).toEqual([...(await wanted.data())]);
    },
  );

  test("as int8 is refused by name", () => {
    expect(() => deployedLayersModel(deployed(STATE, "int8"), LAYERS)).toThrow(HoldfastError);
  });
});
