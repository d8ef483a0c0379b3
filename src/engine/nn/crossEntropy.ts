import type { Ops, Value } from '../backend/ops';
import { widened } from './narrow';

export interface CrossEntropy {
  /** Σ weights · token losses, float32 scalar. */
  loss: Value;
  /** −log p(label), float32 [k]; smoothed where asked for. */
  tokenLosses: Value;
  /** Whether the label is the arg-max, int32 [k] of 0 and 1. */
  correct: Value;
}

/** Bytes of float32 logits that exist at a time: what glibc keeps for the next who asks instead of giving it back to the system. */
const LOGITS_BYTES = 32 * 2 ** 20;
/** Where the output layer is trained, each piece adds to a gradient as large as the layer: fewer pieces. */
const TRAINED_HEAD_FACTOR = 4;
/** A product of fewer rows is no longer bound by arithmetic. */
const FEWEST_ROWS = 64;

/**
 * Cross entropy of the output layer at k positions.
 * hidden [k, h], head [vocab, h] (of the same dtype or stored narrower), labels int32 [k], weights float32 [k] (0 for padding).
 * Logits and their softmax are float32.
 *
 * The logits of all positions never exist at once: some rows at a time go through the layer, and where a gradient is wanted it is
 * computed with them (as Liger Kernel does, https://arxiv.org/abs/2410.10989). It never forms probabilities minus one-hot:
 * dx = w/s · (e W) − w · W[label].
 *
 * `smoothing` ε (Szegedy et al. 2015, https://arxiv.org/abs/1512.00567) mixes the label with the uniform distribution, as
 * transformers' LabelSmoother: (1 − ε) · −log p(label) + ε · mean over the vocabulary of −log p.
 *
 * @param logitsBytes bytes of float32 logits that may exist at a time
 */
export function crossEntropy(
  ops: Ops,
  hidden: Value,
  head: Value,
  labels: Value,
  weights: Value,
  { smoothing = 0, logitsBytes = LOGITS_BYTES }: { smoothing?: number; logitsBytes?: number } = {},
): CrossEntropy {
  const [k, size] = hidden.shape;
  const [vocab] = head.shape;
  const [loss, tokenLosses, correct] = ops.custom([hidden, head], (base, [needHidden, needHead]) => {
    const wide = widened(base, head, hidden);
    const most = (logitsBytes * (needHead ? TRAINED_HEAD_FACTOR : 1)) / (4 * vocab);
    const pieces: PieceResult[] = [];
    for (const { start, count } of evenRows(k, Math.max(FEWEST_ROWS, Math.floor(most)))) {
      const last = pieces.at(-1);
      const rows = base.slice(hidden, [start, 0], [count, size]);
      const piece: Piece = {
        rows: last ? base.barrier(rows, last.input ?? last.losses) : rows,
        labels: base.slice(labels, [start], [count]),
        weights: base.slice(weights, [start], [count]),
      };
      pieces.push(pieceLoss(base, wide, piece, { smoothing, needHidden, needHead }));
    }
    const losses = base.concat(
      pieces.map((piece) => piece.losses),
      0,
    );
    const all: Piece = { rows: hidden, labels, weights };
    return {
      outputs: [
        base.sum(base.mul(weights, losses), [0]),
        losses,
        base.concat(
          pieces.map((piece) => piece.correct),
          0,
        ),
      ],
      backward(back, [g]) {
        const times = (gradient: Value): Value =>
          back.cast(back.mul(back.cast(gradient, 'float32'), g!), gradient.dtype);
        const input = (): Value =>
          back.concat(
            pieces.map((piece) => piece.input!),
            0,
          );
        const weight = (): Value => {
          const spread = pieces.map((piece) => piece.weight!).reduce((sum, part) => back.add(sum, part));
          return back.cast(back.sub(spread, targetRows(back, all, vocab, smoothing)), head.dtype);
        };
        return [needHidden ? times(input()) : null, needHead ? times(weight()) : null];
      },
    };
  });
  return { loss, tokenLosses, correct };
}

/** Some of the positions. */
interface Piece {
  rows: Value;
  labels: Value;
  weights: Value;
}

interface PieceResult {
  losses: Value;
  correct: Value;
  /** Gradient of the rows, in their dtype; null where none is wanted. */
  input: Value | null;
  /** The part of the layer's gradient that all tokens of the vocabulary have, [vocab, h]; null where none is wanted. */
  weight: Value | null;
}

function pieceLoss(
  ops: Ops,
  head: Value,
  piece: Piece,
  { smoothing, needHidden, needHead }: { smoothing: number; needHidden: boolean; needHead: boolean },
): PieceResult {
  const { rows, labels, weights } = piece;
  const [n] = rows.shape;
  const products = ops.matMul(rows, head, { transposeB: true });
  const logits = ops.cast(products, 'float32');
  const [exp, sum, logSum] = ops.fuse('softmax_terms', [products], softmaxTerms);
  const sharp = ops.sub(ops.reshape(logSum, [n]), scaled(ops, ops.pick(logits, labels), 1 - smoothing));
  const losses = smoothing > 0 ? ops.sub(sharp, scaled(ops, ops.mean(logits, [1]), smoothing)) : sharp;
  const column = ops.reshape(weights, [n, 1]);
  const input = (): Value => {
    const target = ops.gather(head, labels);
    const spread = ops.matMul(exp, head);
    const inputs = [spread, target, sum, column, ...(smoothing > 0 ? [ops.mean(head, [0], true)] : [])];
    const [gradient] = ops.fuse('cross_entropy_input', inputs, (o, [e, w, s, share, mean]) => {
      const part = o.sub(
        o.mul(o.cast(e, 'float32'), o.div(share, s)),
        o.mul(o.cast(w, 'float32'), scaled(o, share, 1 - smoothing)),
      );
      const whole = mean ? o.sub(part, o.mul(o.cast(mean, 'float32'), scaled(o, share, smoothing))) : part;
      return [o.cast(whole, rows.dtype)];
    });
    return gradient;
  };
  const weight = (): Value => {
    const [probabilities] = ops.fuse('cross_entropy_weight', [exp, sum, column], (o, [e, s, share]) => [
      o.cast(o.mul(o.cast(e, 'float32'), o.div(share, s)), rows.dtype),
    ]);
    return ops.matMul(probabilities, rows, { transposeA: true });
  };
  return {
    losses,
    correct: ops.cast(ops.equal(ops.argMax(logits), labels), 'int32'),
    input: needHidden ? input() : null,
    weight: needHead ? weight() : null,
  };
}

/** Logits [n, vocab] -> e = exp(logits − max) in their dtype, Σ e and log Σ exp(logits), both float32 [n, 1]. */
function softmaxTerms(ops: Ops, [products]: readonly Value[]): Value[] {
  const logits = ops.cast(products, 'float32');
  const max = ops.max(logits, [1], true);
  const exp = ops.exp(ops.sub(logits, max));
  const sum = ops.sum(exp, [1], true);
  return [ops.cast(exp, products.dtype), sum, ops.add(ops.log(sum), max)];
}

/** The part of the layer's gradient that belongs to the labels (and, smoothed, to every token alike), [vocab, h]. */
function targetRows(ops: Ops, { rows, labels, weights }: Piece, vocab: number, smoothing: number): Value {
  const column = ops.reshape(weights, [weights.shape[0], 1]);
  const times = (factor: number): Value => ops.mul(rows, ops.cast(scaled(ops, column, factor), rows.dtype));
  const target = ops.segmentSum(times(1 - smoothing), labels, vocab);
  return smoothing === 0 ? target : ops.add(target, ops.sum(times(smoothing / vocab), [0], true));
}

function scaled(ops: Ops, x: Value, factor: number): Value {
  return factor === 1 ? x : ops.mul(x, ops.scalar(factor, 'float32'));
}

/** Ranges of equal size, the last maybe shorter, of at most `most` rows. */
function evenRows(total: number, most: number): { start: number; count: number }[] {
  const size = Math.ceil(total / Math.ceil(total / most));
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => ({
    start: i * size,
    count: Math.min(size, total - i * size),
  }));
}
