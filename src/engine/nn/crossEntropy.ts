import type { Ops, Value } from '../backend/ops';

export interface CrossEntropy {
  /** Σ weights · token losses, float32 scalar. */
  loss: Value;
  /** −log p(label), float32 [k]; smoothed where asked for. */
  tokenLosses: Value;
  /** Whether the label is the arg-max, int32 [k] of 0 and 1. */
  correct: Value;
}

/**
 * Cross entropy of the output layer at k positions.
 * hidden [k, h], head [vocab, h], labels int32 [k], weights float32 [k] (0 for padding). Logits and their softmax are float32.
 * The derivative never forms probabilities minus one-hot: dx = w/s · (e W) − w · W[label].
 *
 * `smoothing` ε (Szegedy et al. 2015, https://arxiv.org/abs/1512.00567) mixes the label with the uniform distribution, as
 * transformers' LabelSmoother: (1 − ε) · −log p(label) + ε · mean over the vocabulary of −log p.
 */
export function crossEntropy(
  ops: Ops,
  hidden: Value,
  head: Value,
  labels: Value,
  weights: Value,
  smoothing = 0,
): CrossEntropy {
  const [k] = hidden.shape;
  const [vocab] = head.shape;
  const [loss, tokenLosses, correct] = ops.custom([hidden, head], (base) => {
    const logits = base.cast(base.matMul(hidden, head, { transposeB: true }), 'float32');
    const max = base.max(logits, [1], true);
    const exp = base.exp(base.sub(logits, max));
    const sum = base.sum(exp, [1], true);
    const logSum = base.reshape(base.add(base.log(sum), max), [k]);
    const times = (o: Ops, x: Value, factor: number): Value => o.mul(x, o.scalar(factor, 'float32'));
    const sharp = base.sub(logSum, times(base, base.pick(logits, labels), 1 - smoothing));
    const losses = smoothing > 0 ? base.sub(sharp, times(base, base.mean(logits, [1]), smoothing)) : sharp;
    return {
      outputs: [
        base.sum(base.mul(weights, losses), [0]),
        losses,
        base.cast(base.equal(base.argMax(logits), labels), 'int32'),
      ],
      backward(back, [g], [needHidden, needHead]) {
        const scale = back.reshape(back.mul(weights, g!), [k, 1]);
        const perSum = back.div(scale, sum);
        const labelScale = times(back, scale, 1 - smoothing);
        const input = (): Value => {
          const spread = back.cast(back.matMul(back.cast(exp, head.dtype), head), 'float32');
          const target = back.mul(back.cast(back.gather(head, labels), 'float32'), labelScale);
          const x = back.sub(back.mul(spread, perSum), target);
          if (smoothing === 0) return back.cast(x, hidden.dtype);
          const mean = back.cast(back.mean(head, [0], true), 'float32');
          return back.cast(back.sub(x, back.mul(mean, times(back, scale, smoothing))), hidden.dtype);
        };
        const weight = (): Value => {
          const probabilities = back.cast(back.mul(exp, perSum), hidden.dtype);
          const spread = back.matMul(probabilities, hidden, { transposeA: true });
          const scaled = (by: Value): Value => back.mul(hidden, back.cast(by, hidden.dtype));
          const w = back.sub(spread, back.segmentSum(scaled(labelScale), labels, vocab));
          if (smoothing === 0) return back.cast(w, head.dtype);
          const share = back.sum(scaled(times(back, scale, smoothing / vocab)), [0], true);
          return back.cast(back.sub(w, share), head.dtype);
        };
        return [needHidden ? input() : null, needHead ? weight() : null];
      },
    };
  });
  return { loss, tokenLosses, correct };
}
