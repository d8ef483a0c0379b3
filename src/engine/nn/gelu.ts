import type { Ops, Value } from '../backend/ops';

/** √(2/π) */
const ROOT = 0.7978845608028654;
const CUBIC = 0.044715;

/**
 * GELU in its tanh form (Hendrycks & Gimpel 2016, https://arxiv.org/abs/1606.08415): ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))),
 * element-wise, computed in float32. The derivative takes the hyperbolic tangent again instead of keeping it: it is as wide as the
 * widest activation, in float32.
 */
export function geluTanh(ops: Ops, x: Value): Value {
  const [y] = ops.custom([x], (base) => {
    const wide = base.cast(x, 'float32');
    const one = base.scalar(1, 'float32');
    const half = base.mul(base.scalar(0.5, 'float32'), wide);
    const result = base.mul(half, base.add(one, innerTanh(base, wide)));
    return {
      outputs: [base.cast(result, x.dtype)],
      backward(back, [g]) {
        const again = back.cast(back.barrier(x, g!), 'float32');
        return [back.cast(back.mul(back.cast(g!, 'float32'), slope(back, again)), x.dtype)];
      },
    };
  });
  return y;
}

/** tanh(√(2/π)·x·(1 + 0.044715·x²)) */
function innerTanh(ops: Ops, x: Value): Value {
  const cubic = ops.add(ops.scalar(1, 'float32'), ops.mul(ops.scalar(CUBIC, 'float32'), ops.square(x)));
  return ops.tanh(ops.mul(ops.mul(ops.scalar(ROOT, 'float32'), x), cubic));
}

/** ½·(1 + t) + ½·x·(1 − t²)·√(2/π)·(1 + 3·0.044715·x²) with t the inner tanh. */
function slope(ops: Ops, x: Value): Value {
  const one = ops.scalar(1, 'float32');
  const half = ops.scalar(0.5, 'float32');
  const t = innerTanh(ops, x);
  const inner = ops.add(
    ops.scalar(ROOT, 'float32'),
    ops.mul(ops.scalar(3 * CUBIC * ROOT, 'float32'), ops.square(x)),
  );
  const bend = ops.mul(ops.mul(half, x), ops.mul(ops.sub(one, ops.square(t)), inner));
  return ops.add(ops.mul(half, ops.add(one, t)), bend);
}
