import { readFileSync } from "node:fs";
import { expect, suite, test } from "vitest";
import { bytesOf, concat, sha256, toHex } from "../../src/format/bytes";
import { CHUNK_BYTES } from "../../src/format/chunks";
import { digestFromChunks, digestOf } from "../../src/format/digest";
import type { NamedTensor, State } from "../../src/format/tensors";
import { chunkHashes, rejection, smallState, withBitFlipped } from "./support";

const vectors: unknown = JSON.parse(
  readFileSync(new URL("../fixtures/format/digests.json", import.meta.url), "utf8"),
);

const large: NamedTensor = {
  name: "param/large",
  dtype: "float32",
  shape: [CHUNK_BYTES / 4 + 3],
  values: Float32Array.from({ length: CHUNK_BYTES / 4 + 3 }, (_, at) => at),
};

function withTensors(tensors: readonly NamedTensor[]): State {
  return { tensors, scalars: { step: 0, samples: 0, counters: {} } };
}

suite("the digest", () => {
  test("of known states is the one computed once by another program", async () => {
    expect({
      empty: await digestOf(withTensors([])),
      small: await digestOf(smallState()),
      large: await digestOf(withTensors([large])),
    }).toEqual(vectors);
  });

  test("does not depend on the order of tensors or counters", async () => {
    const { tensors, scalars } = smallState();
    const turned = {
      tensors: tensors.toReversed(),
      scalars: { ...scalars, counters: Object.fromEntries(Object.entries(scalars.counters).toReversed()) },
    };
    expect(await digestOf(turned)).toBe(await digestOf(smallState()));
  });

  test("sorts by the bytes of UTF-8, where UTF-16 has another order", async () => {
    const names = ["\u{1d4b3}", "\uff5e"]; // By UTF-16 code units the first one comes first.
    expect(names.toSorted()).toEqual(names);
    const state = withTensors(
      names.map((name) => ({ name, dtype: "uint8", shape: [0], values: new Uint8Array(0) })),
    );
    const name = (text: string) => {
      const bytes = new TextEncoder().encode(text);
      return concat([Uint8Array.of(bytes.length, 0, 0, 0), bytes]);
    };
    const tail = Uint8Array.of(3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const list = concat([
      new TextEncoder().encode("HFDIGEST"),
      Uint8Array.of(2, 0, 0, 0, 2, 0, 0, 0),
      name("\uff5e"),
      tail,
      name("\u{1d4b3}"),
      tail,
      new Uint8Array(4 + 20),
    ]);
    expect(await digestOf(state)).toBe(toHex(await sha256(list)));
  });

  test("changes with any one bit of any tensor", async () => {
    const state = smallState();
    const seen = new Set([await digestOf(state)]);
    let bits = 0;
    for (const [index, tensor] of state.tensors.entries()) {
      // A truth value has one bit that counts; with any other one set it is refused.
      const stride = tensor.dtype === "bool" ? 8 : 1;
      for (let bit = 0; bit < 8 * tensor.values.byteLength; bit += stride) {
        seen.add(await digestOf({ ...state, tensors: state.tensors.with(index, flipped(tensor, bit)) }));
        bits++;
      }
    }
    expect(bits).toBe(8 * (16 + 8 + 1) + 3);
    expect(seen.size).toBe(1 + bits);
  });

  test("changes with any one bit of any scalar", async () => {
    const { tensors, scalars } = smallState();
    const seen = new Set([await digestOf({ tensors, scalars })]);
    for (let bit = 0; bit < 53; bit++) {
      seen.add(await digestOf({ tensors, scalars: { ...scalars, step: flippedInteger(scalars.step, bit) } }));
      seen.add(
        await digestOf({ tensors, scalars: { ...scalars, samples: flippedInteger(scalars.samples, bit) } }),
      );
    }
    for (const [name, value] of Object.entries(scalars.counters)) {
      for (let bit = 0; bit < 64; bit++) {
        const other = flippedFloat(value, bit);
        if (!Number.isFinite(other)) continue;
        seen.add(
          await digestOf({
            tensors,
            scalars: { ...scalars, counters: { ...scalars.counters, [name]: other } },
          }),
        );
      }
    }
    // One flip (bit 62 of 3) makes an infinity or a NaN, which no counter may be.
    expect(seen.size).toBe(1 + 2 * 53 + 2 * 64 - [...infinite(scalars.counters)].length);
  });

  test("changes with a name, a dtype and a shape over the same bytes", async () => {
    const values = new Uint8Array(4);
    const tensor: NamedTensor = { name: "a", dtype: "uint8", shape: [4], values };
    const digests = await Promise.all(
      [
        tensor,
        { ...tensor, name: "b" },
        { ...tensor, dtype: "bool" as const },
        { ...tensor, shape: [2, 2] },
        { ...tensor, shape: [4, 1] },
        { ...tensor, dtype: "int32" as const, shape: [1], values: new Int32Array(1) },
      ].map((each) => digestOf(withTensors([each]))),
    );
    expect(new Set(digests).size).toBe(digests.length);
  });

  test("falls out of chunk hashes that are known already", async () => {
    const state = smallState();
    const digest = await digestFromChunks(state.tensors, await chunkHashes(state), state.scalars);
    expect(digest).toBe(await digestOf(state));
  });

  test.each<[string, State]>([
    ["a name twice", withTensors([large, large])],
    ["half of a surrogate pair", withTensors([{ ...large, name: "\ud800" }])],
    ["a shape of another size", withTensors([{ ...large, shape: [7] }])],
    ["a shape with half a dimension", withTensors([{ ...large, shape: [large.values.length / 2.5, 2.5] }])],
    ["another kind of array", withTensors([{ ...large, dtype: "int32" }])],
    [
      "a counter without a number",
      { tensors: [], scalars: { step: 0, samples: 0, counters: { t: Number.NaN } } },
    ],
    ["a step below zero", { tensors: [], scalars: { step: -1, samples: 0, counters: {} } }],
  ])("refuses %s", async (_what, state) => {
    expect((await rejection(digestOf(state))).code).toBe("invalid");
  });

  test("refuses a list of chunks that the shape does not ask for", async () => {
    const tensor = { name: "a", dtype: "uint8", shape: [1] } as const;
    expect((await rejection(digestFromChunks([tensor], [], smallState().scalars))).code).toBe("invalid");
  });
});

function flipped(tensor: NamedTensor, bit: number): NamedTensor {
  const bytes = withBitFlipped(bytesOf(tensor.values), bit);
  switch (tensor.dtype) {
    case "float32":
      return { ...tensor, values: new Float32Array(bytes.buffer) };
    case "int32":
      return { ...tensor, values: new Int32Array(bytes.buffer) };
    default:
      return { ...tensor, values: bytes };
  }
}

function flippedInteger(value: number, bit: number): number {
  return Number(BigInt(value) ^ (1n << BigInt(bit)));
}

function flippedFloat(value: number, bit: number): number {
  const bits = new BigUint64Array(new Float64Array([value]).buffer);
  bits[0]! ^= 1n << BigInt(bit);
  return new Float64Array(bits.buffer)[0]!;
}

function* infinite(counters: Readonly<Record<string, number>>): Generator<number> {
  for (const value of Object.values(counters)) {
    for (let bit = 0; bit < 64; bit++) if (!Number.isFinite(flippedFloat(value, bit))) yield bit;
  }
}
