import type { DType, Ops, Value } from '../backend/ops';

/** Added to scores of keys that a query must not see; its exponential is 0 in every dtype that masks have. */
const HIDDEN = -1e30;

/** Float16 ends at 65504, which scores of real models may pass: they are computed smaller by this and widened before they grow again. */
const FLOAT16_HEADROOM = 1 / 64;

/** Most queries that are processed at once where earlier ones see fewer keys. */
const CHUNK = 256;

export interface AttentionOptions {
  /** No query sees the keys of later ones, which stand last and in their order. */
  causal?: boolean;
}

/**
 * Grouped-query attention (Ainslie et al. 2023, https://arxiv.org/abs/2305.13245): softmax(q kᵀ + mask) v. The scores' scale is
 * already in q and k. Keys and values are not repeated per head: the heads of a group stand in the rows of one product. Causal
 * attention goes through the queries in chunks and leaves out the keys that no query of a chunk sees.
 *
 * q [b, heads, t, d], k and v [b, groups, keys, d], mask broadcastable to [b, 1, t, keys] -> [b, heads, t, d].
 */
export function attention(
  ops: Ops,
  q: Value,
  k: Value,
  v: Value,
  mask: Value,
  { causal = false }: AttentionOptions = {},
): Value {
  const [output] = ops.custom([q, k, v], (base) => {
    const chunks = (causal ? causalChunks(base, q, k, v, mask) : [{ q, k, v, mask }]).map((chunk) => ({
      ...chunk,
      ...attendChunk(base, chunk),
    }));
    const sizes = chunks.map((chunk) => chunk.q.shape[2]);
    return {
      outputs: [
        joined(
          base,
          chunks.map((chunk) => chunk.output),
        ),
      ],
      backward(back, [g]) {
        const gradients = sizes.length > 1 ? back.split(g!, sizes, 2) : [g!];
        const parts = chunks.map((chunk, i) => chunk.backward(back, gradients[i]));
        return [
          joined(
            back,
            parts.map(({ dq }) => dq),
          ),
          parts.map(({ dk }) => dk).reduce((sum, dk) => addToFirst(back, dk, sum)),
          parts.map(({ dv }) => dv).reduce((sum, dv) => addToFirst(back, dv, sum)),
        ];
      },
    };
  });
  return output;
}

/** Queries and what they see. */
interface Chunk {
  q: Value;
  k: Value;
  v: Value;
  mask: Value;
}

function causalChunks(ops: Ops, q: Value, k: Value, v: Value, mask: Value): Chunk[] {
  const length = q.shape[2];
  const count = Math.ceil(length / CHUNK);
  if (count === 1) return [{ q, k, v, mask }];
  const sizes = Array.from({ length: count }, (_, i) => Math.min(CHUNK, length - i * CHUNK));
  return ops.split(q, sizes, 2).map((part, i) => {
    const start = i * CHUNK;
    const keys = k.shape[2] - length + start + sizes[i];
    const visible = ops.slice(mask, [0, 0, start, 0], [mask.shape[0], 1, sizes[i], keys]);
    return { q: part, k: first(ops, k, keys), v: first(ops, v, keys), mask: visible };
  });
}

function attendChunk(
  base: Ops,
  { q, k, v, mask }: Chunk,
): { output: Value; backward(back: Ops, g: Value): { dq: Value; dk: Value; dv: Value } } {
  const [batch, heads, length, d] = q.shape;
  const [, groups, keys] = k.shape;
  const rows = (heads / groups) * length;
  const byGroup = (o: Ops, x: Value, n: number): Value => o.reshape(x, [batch * groups, n, d]);
  const [q3, k3, v3] = [byGroup(base, q, rows), byGroup(base, k, keys), byGroup(base, v, keys)];
  const scores = base.reshape(scoreProducts(base, q3, k3), [batch, heads, length, keys]);
  const [weights] = base.fuse('attention_weights', [scores, mask], (o, [x, hidden]) => [
    o.cast(o.softmax(maskedScores(o, x, hidden)), q.dtype),
  ]);
  const p = base.reshape(weights, [batch * groups, rows, keys]);
  const o3 = base.batchMatMul(p, v3);
  return {
    output: base.reshape(o3, q.shape),
    backward(back, g) {
      const g3 = byGroup(back, g, rows);
      const dWeights = back.batchMatMul(g3, v3, { transposeB: true });
      const [dScores] = back.fuse('attention_scores', [p, dWeights, g3, o3], scoresGradient);
      return {
        dq: back.reshape(back.batchMatMul(dScores, k3), q.shape),
        dk: back.reshape(back.batchMatMul(dScores, q3, { transposeA: true }), k.shape),
        dv: back.reshape(back.batchMatMul(p, g3, { transposeA: true }), v.shape),
      };
    },
  };
}

function joined(ops: Ops, parts: readonly Value[]): Value {
  return ops.concat(parts, 2);
}

/** The first `count` keys of x [b, groups, keys, d]. */
function first(ops: Ops, x: Value, count: number): Value {
  const [batch, groups, keys, d] = x.shape;
  return count === keys ? x : ops.slice(x, [0, 0, 0, 0], [batch, groups, count, d]);
}

/** x [b, groups, keys, d] with what its first keys get besides. */
function addToFirst(ops: Ops, x: Value, part: Value): Value {
  const count = part.shape[2];
  const [head, rest] = ops.split(x, [count, x.shape[2] - count], 2);
  return ops.concat([ops.add(head, part), rest], 2);
}

/** Σ P·dP per row equals Σ dO·O: one narrow product instead of a wide one. */
function scoresGradient(ops: Ops, [p, dWeights, g, output]: readonly Value[]): Value[] {
  const wide = (x: Value): Value => ops.cast(x, 'float32');
  const delta = ops.sum(ops.mul(wide(g), wide(output)), [2], true);
  return [ops.cast(ops.mul(wide(p), ops.sub(wide(dWeights), delta)), p.dtype)];
}

/** q kᵀ; in float16 smaller by the headroom. */
function scoreProducts(ops: Ops, q: Value, k: Value): Value {
  const narrow = q.dtype === 'float16' ? ops.mul(q, ops.scalar(FLOAT16_HEADROOM, 'float16')) : q;
  return ops.batchMatMul(narrow, k, { transposeB: true });
}

/** Scores + mask in float32: the exponentials of narrower numbers are slower and less exact. */
function maskedScores(ops: Ops, products: Value, mask: Value): Value {
  const wide = ops.cast(products, 'float32');
  const scores =
    products.dtype === 'float16' ? ops.mul(wide, ops.scalar(1 / FLOAT16_HEADROOM, 'float32')) : wide;
  return ops.add(scores, ops.cast(mask, 'float32'));
}

/** The dtype of masks: what hides a key is beyond float16. */
function maskDType(dtype: DType): DType {
  return dtype === 'float16' ? 'float32' : dtype;
}

/** The same for a layer: q [b, heads, t, d] -> [b·t, heads·d]. */
export function attendHeads(
  ops: Ops,
  q: Value,
  k: Value,
  v: Value,
  mask: Value,
  options?: AttentionOptions,
): Value {
  const [batch, heads, length, d] = q.shape;
  const context = ops.transpose(attention(ops, q, k, v, mask, options), [0, 2, 1, 3]);
  return ops.reshape(context, [batch * length, heads * d]);
}

/**
 * Additive mask for scores in `dtype`: query i sees key j where key[j] <= query[i] and, with segments, both are of one segment (packed rows).
 * Orders and segments int32 [b or 1, t] and [b, keys] -> [b, 1, t, keys].
 */
export function visibilityMask(
  ops: Ops,
  order: { query: Value; key: Value },
  segments: { query: Value; key: Value } | null,
  dtype: DType,
): Value {
  // GPUs have no kernels that compare integers: the host would compare them, and copy the whole mask to the GPU.
  const wide = (x: Value): Value => ops.cast(x, 'float32');
  const column = (x: Value): Value => ops.reshape(wide(x), [x.shape[0], 1, x.shape[1], 1]);
  const row = (x: Value): Value => ops.reshape(wide(x), [x.shape[0], 1, 1, x.shape[1]]);
  const ordered = ops.lessEqual(row(order.key), column(order.query));
  const visible = segments
    ? ops.logicalAnd(ordered, ops.equal(row(segments.key), column(segments.query)))
    : ordered;
  const kind = maskDType(dtype);
  return ops.select(visible, ops.scalar(0, kind), ops.scalar(HIDDEN, kind));
}

/** A mask [b, 1, t, keys] with `count` columns before it that every query sees. */
export function withPrefixColumns(ops: Ops, mask: Value, count: number): Value {
  const [batch, , length] = mask.shape;
  const zeros = new Float32Array(batch * length * count);
  return ops.concat([ops.constant(zeros, [batch, 1, length, count], mask.dtype), mask], 3);
}
