import type { Ops, Value } from '../backend/ops';

export interface CrossEntropy {
  /** Σ weights · token losses, float32 scalar. */
  loss: Value;
  /** −log p(label), float32 [k]. */
  tokenLosses: Value;
  /** Whether the label is the arg-max, int32 [k] of 0 and 1. */
  correct: Value;
}

/**
 * Cross entropy of the output layer at k positions.
 * hidden [k, h], head [vocab, h], labels int32 [k], weights float32 [k] (0 for padding). Logits and their softmax are float32.
 * The derivative never forms probabilities minus one-hot: dx = w/s · (e W) − w · W[label].
 */
export function crossEntropy(
  ops: Ops,
  hidden: Value,
  head: Value,
  labels: Value,
  weights: Value,
): CrossEntropy {
  const [k] = hidden.shape;
  const [vocab] = head.shape;
  const [loss, tokenLosses, correct] = ops.custom([hidden, head], (base) => {
    const logits = base.cast(base.matMul(hidden, head, { transposeB: true }), 'float32');
    const max = base.max(logits, [1], true);
    const exp = base.exp(base.sub(logits, max));
    const sum = base.sum(exp, [1], true);
    const logSum = base.reshape(base.add(base.log(sum), max), [k]);
    const losses = base.sub(logSum, base.pick(logits, labels));
    return {
      outputs: [
        base.sum(base.mul(weights, losses), [0]),
        losses,
        base.cast(base.equal(base.argMax(logits), labels), 'int32'),
      ],
      backward(back, [g], [needHidden, needHead]) {
        const scale = back.reshape(back.mul(weights, g!), [k, 1]);
        const perSum = back.div(scale, sum);
        const input = (): Value => {
          const spread = back.cast(back.matMul(back.cast(exp, head.dtype), head), 'float32');
          const target = back.cast(back.gather(head, labels), 'float32');
          return back.cast(back.sub(back.mul(spread, perSum), back.mul(target, scale)), hidden.dtype);
        };
        const weight = (): Value => {
          const probabilities = back.cast(back.mul(exp, perSum), hidden.dtype);
          const spread = back.matMul(probabilities, hidden, { transposeA: true });
          const weighted = back.mul(hidden, back.cast(scale, hidden.dtype));
          return back.cast(back.sub(spread, back.segmentSum(weighted, labels, vocab)), head.dtype);
        };
        return [needHidden ? input() : null, needHead ? weight() : null];
      },
    };
  });
  return { loss, tokenLosses, correct };
}
