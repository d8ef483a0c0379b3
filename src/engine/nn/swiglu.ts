import type { Ops, Value } from '../backend/ops';

/**
 * silu(gate) · up (Shazeer 2020, https://arxiv.org/abs/2002.05202): x [n, 2f], the first half the gate -> [n, f].
 * Computed in float32: in bfloat16 a sigmoid is several times slower on CPUs and less exact.
 */
export function swiGlu(ops: Ops, x: Value): Value {
  const [y] = ops.custom([x], (base) => ({
    outputs: base.fuse('swiglu', [x], (o, [input]) => {
      const { gate, up, sigmoid } = parts(o, input);
      return [o.cast(o.mul(o.mul(gate, sigmoid), up), input.dtype)];
    }),
    backward: (back, [g]) => back.fuse('swiglu_input', [x, g!], inputGradient),
  }));
  return y;
}

function parts(ops: Ops, x: Value): { gate: Value; up: Value; sigmoid: Value } {
  const half = x.shape[1] / 2;
  const [gate, up] = ops.split(x, [half, half], 1).map((part) => ops.cast(part, 'float32'));
  return { gate, up, sigmoid: ops.sigmoid(gate) };
}

/** The sigmoid is taken again instead of being kept: it is as wide as the widest activation. */
function inputGradient(ops: Ops, [x, g]: readonly Value[]): Value[] {
  const { gate, up, sigmoid } = parts(ops, x);
  const gradient = ops.cast(g, 'float32');
  const active = ops.mul(gate, sigmoid);
  const slope = ops.add(sigmoid, ops.mul(active, ops.sub(ops.scalar(1, 'float32'), sigmoid)));
  const dGate = ops.mul(ops.mul(gradient, up), slope);
  return [ops.cast(ops.concat([dGate, ops.mul(gradient, active)], 1), x.dtype)];
}
