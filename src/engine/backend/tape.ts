/**
 * Reverse-mode differentiation over any `Ops`. Operations on watched values, and on what is computed from them, are recorded
 * with their derivative; everything else passes straight through, so frozen weights cost nothing.
 */
import type { CustomForward, DType, FuseOptions, Gradient, MatMulOptions, Ops, Value } from './ops';

type Accumulate = (value: Value, gradient: Value) => void;

interface Entry {
  outputs: readonly Value[];
  /** The scopes it was recorded in, as `layer3/attention/`. */
  path: string;
  backward(outputGradients: readonly Gradient[], accumulate: Accumulate): void;
}

export class Tape implements Ops {
  private readonly entries: Entry[] = [];
  private readonly tracked: Set<Value>;
  private path = '';

  constructor(
    private readonly base: Ops,
    tracked: Iterable<Value> = [],
  ) {
    this.tracked = new Set(tracked);
  }

  /** Asks for derivatives with respect to a value. */
  watch<V extends Value>(value: V): V {
    this.tracked.add(value);
    return value;
  }

  /**
   * Gradients of `output` (weighted by `seed`, ones where a scalar is given none) for every tracked value it depends on.
   */
  gradients(output: Value, seed?: Value): Map<Value, Value> {
    const gradients = new Map<Value, Value>();
    const accumulate: Accumulate = (value, gradient) => {
      if (!this.tracked.has(value)) return;
      const sum = gradients.get(value);
      gradients.set(value, sum ? this.base.add(sum, gradient) : gradient);
    };
    accumulate(output, seed ?? this.base.scalar(1, output.dtype));
    for (const entry of this.entries.toReversed()) {
      const outputGradients = entry.outputs.map((value) => gradients.get(value) ?? null);
      if (outputGradients.some((gradient) => gradient !== null))
        this.base.scope(`${entry.path}backward`, () => entry.backward(outputGradients, accumulate));
    }
    return gradients;
  }

  private isTracked = (value: Value): boolean => this.tracked.has(value);

  private record(outputs: readonly Value[], backward: Entry['backward']): void {
    for (const output of outputs) this.tracked.add(output);
    this.entries.push({ outputs, path: this.path, backward });
  }

  /** Records a one-output operation; `derivatives[i]` makes the gradient of input i. */
  private op(inputs: readonly Value[], output: Value, derivatives: ((g: Value) => Value)[]): Value {
    if (inputs.some(this.isTracked))
      this.record([output], ([g], accumulate) => {
        inputs.forEach((input, i) => {
          if (this.isTracked(input)) accumulate(input, derivatives[i](g!));
        });
      });
    return output;
  }

  /** Sums a gradient down to the shape of a broadcast operand. */
  private sumTo(gradient: Value, shape: readonly number[]): Value {
    const extra = gradient.shape.length - shape.length;
    const axes = gradient.shape.flatMap((size, axis) =>
      axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : [],
    );
    if (axes.length === 0) return gradient;
    return this.base.reshape(this.base.sum(gradient, axes), shape);
  }

  constant(values: Float32Array | Int32Array, shape: readonly number[], dtype: DType): Value {
    return this.base.constant(values, shape, dtype);
  }
  scalar(value: number, dtype: DType): Value {
    return this.base.scalar(value, dtype);
  }

  matMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
    return this.product(a, b, options, (x, y, o) => this.base.matMul(x, y, o));
  }
  batchMatMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
    return this.product(a, b, options, (x, y, o) => this.base.batchMatMul(x, y, o));
  }

  private product(
    a: Value,
    b: Value,
    { transposeA = false, transposeB = false }: MatMulOptions,
    multiply: (a: Value, b: Value, options: MatMulOptions) => Value,
  ): Value {
    return this.op([a, b], multiply(a, b, { transposeA, transposeB }), [
      (g) =>
        transposeA
          ? multiply(b, g, { transposeA: transposeB, transposeB: true })
          : multiply(g, b, { transposeB: !transposeB }),
      (g) =>
        transposeB
          ? multiply(g, a, { transposeA: true, transposeB: transposeA })
          : multiply(a, g, { transposeA: !transposeA }),
    ]);
  }

  biasAdd(x: Value, bias: Value): Value {
    return this.op([x, bias], this.base.biasAdd(x, bias), [(g) => g, (g) => this.base.sum(g, [0])]);
  }

  add(a: Value, b: Value): Value {
    return this.op([a, b], this.base.add(a, b), [
      (g) => this.sumTo(g, a.shape),
      (g) => this.sumTo(g, b.shape),
    ]);
  }
  sub(a: Value, b: Value): Value {
    return this.op([a, b], this.base.sub(a, b), [
      (g) => this.sumTo(g, a.shape),
      (g) => this.sumTo(this.base.neg(g), b.shape),
    ]);
  }
  mul(a: Value, b: Value): Value {
    return this.op([a, b], this.base.mul(a, b), [
      (g) => this.sumTo(this.base.mul(g, b), a.shape),
      (g) => this.sumTo(this.base.mul(g, a), b.shape),
    ]);
  }
  div(a: Value, b: Value): Value {
    const output = this.base.div(a, b);
    return this.op([a, b], output, [
      (g) => this.sumTo(this.base.div(g, b), a.shape),
      (g) => this.sumTo(this.base.neg(this.base.div(this.base.mul(g, output), b)), b.shape),
    ]);
  }

  neg(x: Value): Value {
    return this.op([x], this.base.neg(x), [(g) => this.base.neg(g)]);
  }
  exp(x: Value): Value {
    const y = this.base.exp(x);
    return this.op([x], y, [(g) => this.base.mul(g, y)]);
  }
  log(x: Value): Value {
    return this.op([x], this.base.log(x), [(g) => this.base.div(g, x)]);
  }
  sqrt(x: Value): Value {
    const y = this.base.sqrt(x);
    return this.op([x], y, [(g) => this.base.div(this.half(g), y)]);
  }
  rsqrt(x: Value): Value {
    const y = this.base.rsqrt(x);
    return this.op([x], y, [(g) => this.base.neg(this.base.mul(this.half(g), this.base.div(y, x)))]);
  }
  square(x: Value): Value {
    return this.op([x], this.base.square(x), [
      (g) => this.base.mul(g, this.base.mul(x, this.base.scalar(2, x.dtype))),
    ]);
  }
  sigmoid(x: Value): Value {
    const y = this.base.sigmoid(x);
    const slope = () => this.base.mul(y, this.base.sub(this.base.scalar(1, y.dtype), y));
    return this.op([x], y, [(g) => this.base.mul(g, slope())]);
  }
  tanh(x: Value): Value {
    const y = this.base.tanh(x);
    const slope = () => this.base.sub(this.base.scalar(1, y.dtype), this.base.square(y));
    return this.op([x], y, [(g) => this.base.mul(g, slope())]);
  }
  cos(x: Value): Value {
    return this.op([x], this.base.cos(x), [(g) => this.base.neg(this.base.mul(g, this.base.sin(x)))]);
  }
  sin(x: Value): Value {
    return this.op([x], this.base.sin(x), [(g) => this.base.mul(g, this.base.cos(x))]);
  }
  softmax(x: Value): Value {
    const y = this.base.softmax(x);
    const last = x.shape.length - 1;
    return this.op([x], y, [
      (g) => this.base.mul(y, this.base.sub(g, this.base.sum(this.base.mul(g, y), [last], true))),
    ]);
  }

  private half(g: Value): Value {
    return this.base.mul(g, this.base.scalar(0.5, g.dtype));
  }

  sum(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.op([x], this.base.sum(x, axes, keepDims), [(g) => this.spread(g, x, axes)]);
  }
  mean(x: Value, axes: readonly number[], keepDims = false): Value {
    const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
    return this.op([x], this.base.mean(x, axes, keepDims), [
      (g) => this.spread(this.base.mul(g, this.base.scalar(1 / count, g.dtype)), x, axes),
    ]);
  }

  /** Broadcasts the gradient of a reduction back over the reduced axes. */
  private spread(g: Value, x: Value, axes: readonly number[]): Value {
    const kept = this.base.reshape(
      g,
      x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
    );
    return this.base.add(this.zerosLike(x), kept);
  }

  max(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.undifferentiable([x], this.base.max(x, axes, keepDims), 'max');
  }
  argMax(x: Value): Value {
    return this.base.argMax(x);
  }
  topK(x: Value, k: number): { values: Value; indices: Value } {
    const result = this.base.topK(x, k);
    this.undifferentiable([x], result.values, 'topK');
    return result;
  }

  private undifferentiable(inputs: readonly Value[], output: Value, name: string): Value {
    return this.op(
      inputs,
      output,
      inputs.map(() => () => {
        throw new Error(`${name} has no derivative here`);
      }),
    );
  }

  reshape(x: Value, shape: readonly number[]): Value {
    return this.op([x], this.base.reshape(x, shape), [(g) => this.base.reshape(g, x.shape)]);
  }
  transpose(x: Value, permutation: readonly number[]): Value {
    const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
    return this.op([x], this.base.transpose(x, permutation), [(g) => this.base.transpose(g, inverse)]);
  }
  slice(x: Value, begin: readonly number[], size: readonly number[]): Value {
    return this.op([x], this.base.slice(x, begin, size), [
      (g) => {
        let padded = g;
        for (let axis = 0; axis < x.shape.length; axis++)
          padded = this.padAxis(padded, axis, begin[axis], x.shape[axis] - begin[axis] - size[axis]);
        return padded;
      },
    ]);
  }

  private padAxis(x: Value, axis: number, before: number, after: number): Value {
    const zeros = (count: number): Value[] => {
      if (count === 0) return [];
      const shape = x.shape.map((size, i) => (i === axis ? count : size));
      const length = shape.reduce((product, size) => product * size, 1);
      return [this.base.constant(new Float32Array(length), shape, x.dtype)];
    };
    return this.base.concat([...zeros(before), x, ...zeros(after)], axis);
  }

  split(x: Value, sizes: readonly number[], axis: number): Value[] {
    const outputs = this.base.split(x, sizes, axis);
    if (this.isTracked(x))
      this.record(outputs, (gradients, accumulate) => {
        const parts = gradients.map((g, i) => g ?? this.zerosLike(outputs[i]));
        accumulate(x, this.base.concat(parts, axis));
      });
    return outputs;
  }

  private zerosLike(value: Value): Value {
    const length = value.shape.reduce((product, size) => product * size, 1);
    return this.base.constant(new Float32Array(length), value.shape, value.dtype);
  }

  concat(values: readonly Value[], axis: number): Value {
    const output = this.base.concat(values, axis);
    if (values.length > 1 && values.some(this.isTracked))
      this.record([output], ([g], accumulate) => {
        const sizes = values.map((value) => value.shape[axis]);
        this.base.split(g!, sizes, axis).forEach((part, i) => accumulate(values[i], part));
      });
    return output;
  }

  cast(x: Value, dtype: DType): Value {
    if (x.dtype === dtype) return x;
    return this.op([x], this.base.cast(x, dtype), [(g) => this.base.cast(g, x.dtype)]);
  }

  gather(table: Value, indices: Value): Value {
    const [rows, ...rest] = table.shape;
    const count = indices.shape.reduce((product, size) => product * size, 1);
    return this.op([table], this.base.gather(table, indices), [
      (g) =>
        this.base.segmentSum(
          this.base.reshape(g, [count, ...rest]),
          this.base.reshape(indices, [count]),
          rows,
        ),
    ]);
  }
  pick(x: Value, indices: Value): Value {
    return this.undifferentiable([x], this.base.pick(x, indices), 'pick');
  }
  segmentSum(x: Value, ids: Value, count: number): Value {
    return this.op([x], this.base.segmentSum(x, ids, count), [(g) => this.base.gather(g, ids)]);
  }

  lessEqual(a: Value, b: Value): Value {
    return this.base.lessEqual(a, b);
  }
  equal(a: Value, b: Value): Value {
    return this.base.equal(a, b);
  }
  logicalAnd(a: Value, b: Value): Value {
    return this.base.logicalAnd(a, b);
  }
  select(condition: Value, a: Value, b: Value): Value {
    const zero = this.base.scalar(0, a.dtype);
    return this.op([a, b], this.base.select(condition, a, b), [
      (g) => this.sumTo(this.base.select(condition, g, zero), a.shape),
      (g) => this.sumTo(this.base.select(condition, zero, g), b.shape),
    ]);
  }
  randomUniform(shape: readonly number[], seed: Value): Value {
    return this.base.randomUniform(shape, seed);
  }
  barrier(x: Value, after: Value): Value {
    return this.op([x], this.base.barrier(x, after), [(g) => g]);
  }

  /** Composites that are worth fusing have a derivative of their own (`custom`); a fused part of one is not on a tape. */
  fuse(
    name: string,
    inputs: readonly Value[],
    f: (ops: Ops, inputs: readonly Value[]) => Value[],
    options?: FuseOptions,
  ): Value[] {
    return inputs.some(this.isTracked) ? f(this, inputs) : this.base.fuse(name, inputs, f, options);
  }

  scope<T>(name: string, f: () => T): T {
    const outer = this.path;
    this.path = `${outer}${name}/`;
    try {
      return this.base.scope(name, f);
    } finally {
      this.path = outer;
    }
  }

  custom(inputs: readonly Value[], forward: CustomForward): Value[] {
    const needed = inputs.map(this.isTracked);
    const result = forward(this.base, needed);
    if (needed.includes(true))
      this.record(result.outputs, (outputGradients, accumulate) => {
        result.backward(this.base, outputGradients, needed).forEach((gradient, i) => {
          if (gradient && needed[i]) accumulate(inputs[i], gradient);
        });
      });
    return result.outputs;
  }

  checkpoint(inputs: readonly Value[], f: (ops: Ops, inputs: readonly Value[]) => Value): Value {
    const output = f(this.base, inputs);
    // What f closes over may be tracked as well (adapters), so it is recorded whatever the inputs are.
    if (this.tracked.size === 0) return output;
    this.record([output], ([g], accumulate) => {
      const again = inputs.map((input) => this.base.barrier(input, g!));
      const inner = new Tape(this.base, this.tracked);
      inputs.forEach((input, i) => {
        if (this.isTracked(input)) inner.watch(again[i]);
      });
      const output = this.base.scope('recompute', () => f(inner, again));
      const gradients = inner.gradients(output, g!);
      inputs.forEach((input, i) => {
        const gradient = gradients.get(again[i]);
        if (gradient) accumulate(input, gradient);
      });
      for (const [value, gradient] of gradients) if (this.isTracked(value)) accumulate(value, gradient);
    });
    return output;
  }
}
