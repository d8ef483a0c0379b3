import type { DType, Ops, Value } from '../backend/ops';

/**
 * w · x / √(mean(x²) + eps) over the last axis, in float32 (Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467).
 * x [n, h] of any float dtype, weight [h] float32 -> [n, h] of `dtype`.
 */
export function rmsNorm(ops: Ops, x: Value, weight: Value, eps: number, dtype: DType): Value {
  const [y] = ops.custom([x, weight], (base) => {
    const [output, inverse] = base.fuse('rms_norm', [x, weight], (o, [input, factor]) => {
      const wide = o.cast(input, 'float32');
      const root = o.rsqrt(o.add(o.mean(o.square(wide), [1], true), o.scalar(eps, 'float32')));
      return [o.cast(o.mul(o.mul(wide, root), factor), dtype), root];
    });
    return {
      outputs: [output],
      backward(back, [g], [needX, needWeight]) {
        const input = (): Value => back.fuse('rms_norm_input', [x, weight, inverse, g!], rmsNormInput)[0];
        const factor = (): Value => back.fuse('rms_norm_weight', [x, inverse, g!], rmsNormWeight)[0];
        return [needX ? input() : null, needWeight ? factor() : null];
      },
    };
  });
  return y;
}

/** d/dx of x·r·w: r·(g·w − x·r²·mean(g·w·x)). */
function rmsNormInput(ops: Ops, [x, weight, inverse, g]: readonly Value[]): Value[] {
  const wide = ops.cast(x, 'float32');
  const scaled = ops.mul(ops.cast(g, 'float32'), weight);
  const mean = ops.mean(ops.mul(scaled, wide), [1], true);
  const correction = ops.mul(wide, ops.mul(mean, ops.square(inverse)));
  return [ops.cast(ops.mul(inverse, ops.sub(scaled, correction)), x.dtype)];
}

function rmsNormWeight(ops: Ops, [x, inverse, g]: readonly Value[]): Value[] {
  const normal = ops.mul(ops.cast(x, 'float32'), inverse);
  return [ops.sum(ops.mul(ops.cast(g, 'float32'), normal), [0])];
}

/** (x − mean) / √(var + eps) · w + b over the last axis with biased variance; shapes and dtypes as `rmsNorm`. */
export function layerNorm(ops: Ops, x: Value, weight: Value, bias: Value, eps: number, dtype: DType): Value {
  const [y] = ops.custom([x, weight, bias], (base) => {
    const wide = base.cast(x, 'float32');
    const centred = base.sub(wide, base.mean(wide, [1], true));
    const variance = base.mean(base.square(centred), [1], true);
    const inverse = base.rsqrt(base.add(variance, base.scalar(eps, 'float32')));
    const normal = base.mul(centred, inverse);
    return {
      outputs: [base.cast(base.add(base.mul(normal, weight), bias), dtype)],
      backward(back, [g], [needX, needWeight, needBias]) {
        const gradient = back.cast(g!, 'float32');
        const scaled = back.mul(gradient, weight);
        const input = (): Value => {
          const mean = back.mean(scaled, [1], true);
          const along = back.mul(normal, back.mean(back.mul(scaled, normal), [1], true));
          return back.cast(back.mul(inverse, back.sub(back.sub(scaled, mean), along)), x.dtype);
        };
        return [
          needX ? input() : null,
          needWeight ? back.sum(back.mul(gradient, normal), [0]) : null,
          needBias ? back.sum(gradient, [0]) : null,
        ];
      },
    };
  });
  return y;
}
