/**
 * The operations the models and the losses are written in. Two implementations: `GraphOps` emits the body of a TensorFlow
 * function (production), `EagerOps` runs tfjs operations at once (the self-test); `Tape` adds differentiation to either.
 */

export type DType = 'float32' | 'bfloat16' | 'float16' | 'int32' | 'bool' | 'uint8' | 'int8' | 'uint16';

/** A tensor that exists or will exist. Shapes are static. */
export interface Value {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export interface MatMulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
}

/** Gradient with respect to an input that received none: null. */
export type Gradient = Value | null;

export interface CustomResult {
  outputs: Value[];
  /** Gradients of the inputs from those of the outputs; `needed[i]` says whether input i wants one. */
  backward(ops: Ops, outputGradients: readonly Gradient[], needed: readonly boolean[]): Gradient[];
}

/** `needed[i]` says whether the gradient of input i will be asked for. */
export type CustomForward = (ops: Ops, needed: readonly boolean[]) => CustomResult;

export interface FuseOptions {
  /** Not only where fusing pays in general: what would be many times slower in operations of its own. */
  always?: boolean;
}

export interface Ops {
  /** Values are rounded to `dtype` (round half to even for bfloat16). */
  constant(values: Float32Array | Int32Array, shape: readonly number[], dtype: DType): Value;
  scalar(value: number, dtype: DType): Value;

  /** [m, k] x [k, n] -> [m, n]. */
  matMul(a: Value, b: Value, options?: MatMulOptions): Value;
  /** The same over equal leading dimensions. */
  batchMatMul(a: Value, b: Value, options?: MatMulOptions): Value;
  /** x [n, m] + bias [m]. */
  biasAdd(x: Value, bias: Value): Value;

  /** Element-wise with NumPy broadcasting; both sides have the same dtype. */
  add(a: Value, b: Value): Value;
  sub(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  div(a: Value, b: Value): Value;

  neg(x: Value): Value;
  exp(x: Value): Value;
  log(x: Value): Value;
  sqrt(x: Value): Value;
  rsqrt(x: Value): Value;
  square(x: Value): Value;
  sigmoid(x: Value): Value;
  tanh(x: Value): Value;
  cos(x: Value): Value;
  sin(x: Value): Value;
  /** Over the last axis. */
  softmax(x: Value): Value;

  sum(x: Value, axes: readonly number[], keepDims?: boolean): Value;
  mean(x: Value, axes: readonly number[], keepDims?: boolean): Value;
  max(x: Value, axes: readonly number[], keepDims?: boolean): Value;
  /** Index of the largest element of the last axis, int32. */
  argMax(x: Value): Value;
  /** The k largest of the last axis, descending. */
  topK(x: Value, k: number): { values: Value; indices: Value };

  reshape(x: Value, shape: readonly number[]): Value;
  transpose(x: Value, permutation: readonly number[]): Value;
  slice(x: Value, begin: readonly number[], size: readonly number[]): Value;
  split(x: Value, sizes: readonly number[], axis: number): Value[];
  concat(values: readonly Value[], axis: number): Value;
  cast(x: Value, dtype: DType): Value;

  /** Rows of a table: [n, ...] by int32 indices [k] -> [k, ...]. */
  gather(table: Value, indices: Value): Value;
  /** x[i, indices[i]]: [n, m] and int32 [n] -> [n]. */
  pick(x: Value, indices: Value): Value;
  /** Sums the rows of x [n, ...] with equal id (int32 [n]) -> [count, ...]. */
  segmentSum(x: Value, ids: Value, count: number): Value;

  lessEqual(a: Value, b: Value): Value;
  equal(a: Value, b: Value): Value;
  logicalAnd(a: Value, b: Value): Value;
  select(condition: Value, a: Value, b: Value): Value;

  /** Uniform in [0, 1), the same for the same int32 seed [2]. */
  randomUniform(shape: readonly number[], seed: Value): Value;

  /** x, to be computed no earlier than `after`: keeps a recomputation from running during the forward pass. */
  barrier(x: Value, after: Value): Value;

  /**
   * f(inputs) in as few passes over memory as the device's compiler manages: for element-wise work and reductions of rows, not for
   * matrix products. f uses nothing but its inputs and constants. `name` is for profiles.
   */
  fuse(
    name: string,
    inputs: readonly Value[],
    f: (ops: Ops, inputs: readonly Value[]) => Value[],
    options?: FuseOptions,
  ): Value[];

  /** f(), whose operations belong to a part of the model: profiles and errors name them by it. Scopes nest. */
  scope<T>(name: string, f: () => T): T;
  /** A composite with its own derivative. */
  custom(inputs: readonly Value[], forward: CustomForward): Value[];
  /** f(inputs), whose intermediate values are recomputed for the backward pass instead of kept. */
  checkpoint(inputs: readonly Value[], f: (ops: Ops, inputs: readonly Value[]) => Value): Value;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Shape of a broadcast element-wise operation. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      throw new Error(`shapes [${a.join()}] and [${b.join()}] do not broadcast`);
    return Math.max(x, y);
  });
}

export function reducedShape(shape: readonly number[], axes: readonly number[], keepDims: boolean): number[] {
  return shape.flatMap((size, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [size]));
}

/** Result shape of a (batched) matrix product; throws where the inner dimensions differ. */
export function matMulShape(a: Value, b: Value, options: MatMulOptions = {}): number[] {
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const inner = options.transposeA ? rowsA : columnsA;
  if (inner !== (options.transposeB ? columnsB : rowsB))
    throw new Error(`matMul of [${a.shape.join()}] and [${b.shape.join()}] (${JSON.stringify(options)})`);
  return [
    ...a.shape.slice(0, -2),
    options.transposeA ? columnsA : rowsA,
    options.transposeB ? rowsB : columnsB,
  ];
}
