import type { DType, Ops, Value } from '../backend/ops';

/**
 * w · x / √(mean(x²) + eps) over the last axis, in float32 (Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467).
 * x [n, h] of any float dtype, weight [h] float32 -> [n, h] of `dtype`.
 */
export function rmsNorm(ops: Ops, x: Value, weight: Value, eps: number, dtype: DType): Value {
  const [y] = ops.custom([x, weight], (base) => {
    const wide = base.cast(x, 'float32');
    const inverse = base.rsqrt(
      base.add(base.mean(base.square(wide), [1], true), base.scalar(eps, 'float32')),
    );
    const normal = base.mul(wide, inverse);
    return {
      outputs: [base.cast(base.mul(normal, weight), dtype)],
      backward(back, [g], [needX, needWeight]) {
        const gradient = back.cast(g!, 'float32');
        const scaled = back.mul(gradient, weight);
        const input = (): Value => {
          // d/dx of x·r: r·(g − x·r²·mean(g·x)).
          const mean = back.mean(back.mul(scaled, wide), [1], true);
          const correction = back.mul(wide, back.mul(mean, back.square(inverse)));
          return back.cast(back.mul(inverse, back.sub(scaled, correction)), x.dtype);
        };
        return [needX ? input() : null, needWeight ? back.sum(back.mul(gradient, normal), [0]) : null];
      },
    };
  });
  return y;
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
