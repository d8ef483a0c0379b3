import type { Ops, Value } from '../backend/ops';

/**
 * silu(gate) · up (Shazeer 2020, https://arxiv.org/abs/2002.05202): x [n, 2f], the first half the gate -> [n, f].
 * The sigmoid is taken in float32: in bfloat16 it is several times slower on CPUs and less exact.
 */
export function swiGlu(ops: Ops, x: Value): Value {
  const [, width] = x.shape;
  const half = width / 2;
  const [y] = ops.custom([x], (base) => {
    const [gate, up] = base.split(x, [half, half], 1);
    const sigmoid = base.cast(base.sigmoid(base.cast(gate, 'float32')), x.dtype);
    const active = base.mul(gate, sigmoid);
    return {
      outputs: [base.mul(active, up)],
      backward(back, [g]) {
        const one = back.scalar(1, x.dtype);
        const slope = back.add(sigmoid, back.mul(active, back.sub(one, sigmoid)));
        const dGate = back.mul(back.mul(g!, up), slope);
        return [back.concat([dGate, back.mul(g!, active)], 1)];
      },
    };
  });
  return y;
}
