/**
 * A decoder-only transformer (Vaswani et al. 2017; pre-norm as in GPT-2, Radford et al. 2019).
 *
 * Rows are characters: a batch of B windows of T characters is [B·T, width] throughout, and 4-D only inside of
 * attention, because the gradient of a broadcast matMul throws in tfjs 4.22. Embeddings are one-hot × table: the
 * gradient of `gather` adds with float atomics and so differs from run to run.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import type { LossContext, ParameterSpec, Params } from "../engine/task";
import { dense, gelu, geluConstants, layerNorm, parameter } from "./layers";
import type { GeluConstants } from "./layers";

const EMBEDDING_STD = 0.02;
const NORM_EPSILON = 1e-5;
/** Added to the scores of what lies ahead: exp of it is 0, and no infinity enters a gradient. */
const MASKED = -1e9;
/** Width of a feed-forward layer, in widths of the model. */
const FEED_FORWARD = 4;

export interface TransformerShape {
  readonly vocabulary: number;
  readonly context: number;
  readonly layers: number;
  readonly heads: number;
  readonly headWidth: number;
  readonly activation: "gelu" | "relu";
  /** One table for reading and writing. */
  readonly tied: boolean;
  readonly dropout: number;
}

/** The model's functions and the few constant tensors that they need. */
export class Transformer {
  readonly parameters: readonly ParameterSpec[];
  readonly #shape: TransformerShape;
  readonly #width: number;
  readonly #mask: Tensor2D;
  readonly #scale: Scalar;
  readonly #epsilon: Scalar;
  readonly #gelu: GeluConstants;

  constructor(shape: TransformerShape) {
    this.#shape = shape;
    this.#width = shape.heads * shape.headWidth;
    this.parameters = parametersOf(shape);
    this.#mask = tf.tensor2d(maskOf(shape.context), [shape.context, shape.context]);
    this.#scale = tf.scalar(1 / Math.sqrt(shape.headWidth));
    this.#epsilon = tf.scalar(NORM_EPSILON);
    this.#gelu = geluConstants();
  }

  /** int32 ids of whole windows, [B·T] → what the model made of each character, [B·T, width]. */
  hidden(params: Params, ids: Tensor, dropout: LossContext): Tensor2D {
    const { context, layers, dropout: rate } = this.#shape;
    const tokens = tf.matMul(this.oneHot(ids), parameter(params, "embedding/token"));
    const placed = tf.add(
      tf.reshape(tokens, [-1, context, this.#width]),
      parameter(params, "embedding/position"),
    );
    let x = dropout.dropout(tf.reshape(placed, [-1, this.#width]), "embedding", rate);
    for (let layer = 0; layer < layers; layer++) {
      const block = `block${layer}`;
      const mixed = this.#attention(
        params,
        block,
        layerNorm(params, `${block}/norm1`, x, this.#epsilon),
        dropout,
      );
      x = tf.add(x, dropout.dropout(mixed, `${block}/attention`, rate));
      const thought = this.#feedForward(params, block, layerNorm(params, `${block}/norm2`, x, this.#epsilon));
      x = tf.add(x, dropout.dropout(thought, `${block}/feed`, rate));
    }
    return tf.reshape(layerNorm(params, "norm", x, this.#epsilon), [-1, this.#width]);
  }

  /** [rows, width] → logits of the next character, [rows, vocabulary]. */
  logits(params: Params, hidden: Tensor2D): Tensor2D {
    if (this.#shape.tied) return tf.matMul(hidden, parameter(params, "embedding/token"), false, true);
    return dense(params, "head", hidden);
  }

  /** [rows] → [rows, vocabulary], float32. */
  oneHot(ids: Tensor): Tensor2D {
    return tf.reshape(tf.oneHot(ids, this.#shape.vocabulary, 1, 0, "float32"), [-1, this.#shape.vocabulary]);
  }

  dispose(): void {
    tf.dispose([this.#mask, this.#scale, this.#epsilon, { ...this.#gelu }]);
  }

  #attention(params: Params, block: string, x: Tensor, dropout: LossContext): Tensor {
    const { context, heads, headWidth, dropout: rate } = this.#shape;
    // One product for queries, keys and values, and one transpose for all heads: [B, T, 3·H, d] → [B, 3·H, T, d].
    const joined = tf.reshape(dense(params, `${block}/attention/input`, x), [
      -1,
      context,
      3 * heads,
      headWidth,
    ]);
    const [queries, keys, values] = thirds(tf.transpose(joined, [0, 2, 1, 3]));
    const scores = tf.mul(tf.matMul(queries, keys, false, true), this.#scale);
    const weights = tf.softmax(tf.add(scores, this.#mask));
    const mixed = tf.matMul(dropout.dropout(weights, `${block}/weights`, rate), values);
    return dense(
      params,
      `${block}/attention/output`,
      tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [-1, this.#width]),
    );
  }

  #feedForward(params: Params, block: string, x: Tensor): Tensor {
    const inner = dense(params, `${block}/feed/input`, x);
    const active = this.#shape.activation === "gelu" ? gelu(inner, this.#gelu) : tf.relu(inner);
    return dense(params, `${block}/feed/output`, active);
  }
}

function thirds(x: Tensor): readonly [Tensor, Tensor, Tensor] {
  const [first, second, third] = tf.split(x, 3, 1);
  if (!first || !second || !third) throw new RangeError("A split into three gave fewer parts.");
  return [first, second, third];
}

/** 0 where a row may look, far below 0 where it may not: row t sees columns 0 … t. */
function maskOf(context: number): Float32Array {
  return Float32Array.from({ length: context * context }, (_, i) =>
    i % context <= Math.floor(i / context) ? 0 : MASKED,
  );
}

function parametersOf({
  vocabulary,
  context,
  layers,
  heads,
  headWidth,
  tied,
}: TransformerShape): readonly ParameterSpec[] {
  const width = heads * headWidth;
  const table = (name: string, rows: number): ParameterSpec => ({
    name,
    shape: [rows, width],
    init: { kind: "normal", std: EMBEDDING_STD },
  });
  const linear = (name: string, inputs: number, outputs: number, scale = 1): readonly ParameterSpec[] => [
    {
      name: `${name}/weight`,
      shape: [inputs, outputs],
      init: { kind: "normal", std: scale / Math.sqrt(inputs) },
    },
    { name: `${name}/bias`, shape: [outputs], init: { kind: "zeros" }, decay: false },
  ];
  const norm = (name: string): readonly ParameterSpec[] => [
    { name: `${name}/gain`, shape: [width], init: { kind: "ones" }, decay: false },
    { name: `${name}/bias`, shape: [width], init: { kind: "zeros" }, decay: false },
  ];
  // What is added to the residual stream starts smaller the more often something is added (GPT-2).
  const residual = 1 / Math.sqrt(2 * layers);
  const block = (name: string): readonly ParameterSpec[] => [
    ...norm(`${name}/norm1`),
    ...linear(`${name}/attention/input`, width, 3 * width),
    ...linear(`${name}/attention/output`, width, width, residual),
    ...norm(`${name}/norm2`),
    ...linear(`${name}/feed/input`, width, FEED_FORWARD * width),
    ...linear(`${name}/feed/output`, FEED_FORWARD * width, width, residual),
  ];
  return [
    table("embedding/token", vocabulary),
    table("embedding/position", context),
    ...Array.from({ length: layers }, (_, layer) => block(`block${layer}`)).flat(),
    ...norm("norm"),
    ...(tied ? [] : linear("head", width, vocabulary)),
  ];
}
