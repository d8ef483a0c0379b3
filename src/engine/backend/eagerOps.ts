/** `Ops` that run at once as tfjs operations, on whatever backend tfjs has. float32 and int32 only, as tfjs itself. */
import type { Tensor } from '@tensorflow/tfjs';
import {
  reducedShape,
  type CustomForward,
  type DType,
  type MatMulOptions,
  type Ops,
  type Value,
} from './ops';
import type { Tfjs } from './tfjs';

/** A tfjs tensor is a value as it stands. */
const tensor = (value: Value): Tensor => value as unknown as Tensor;
const value = (result: Tensor): Value => result as unknown as Value;

export class EagerOps implements Ops {
  constructor(private readonly tf: typeof Tfjs) {}

  constant(values: Float32Array | Int32Array, shape: readonly number[], dtype: DType): Value {
    return value(this.tf.tensor(values, [...shape], supported(dtype)));
  }
  scalar(number: number, dtype: DType): Value {
    return value(this.tf.scalar(number, supported(dtype)));
  }

  matMul(a: Value, b: Value, { transposeA = false, transposeB = false }: MatMulOptions = {}): Value {
    return value(this.tf.matMul(tensor(a), tensor(b), transposeA, transposeB));
  }
  batchMatMul(a: Value, b: Value, options?: MatMulOptions): Value {
    return this.matMul(a, b, options);
  }
  biasAdd(x: Value, bias: Value): Value {
    return this.add(x, bias);
  }

  add(a: Value, b: Value): Value {
    return value(this.tf.add(tensor(a), tensor(b)));
  }
  sub(a: Value, b: Value): Value {
    return value(this.tf.sub(tensor(a), tensor(b)));
  }
  mul(a: Value, b: Value): Value {
    return value(this.tf.mul(tensor(a), tensor(b)));
  }
  div(a: Value, b: Value): Value {
    return value(this.tf.div(tensor(a), tensor(b)));
  }
  lessEqual(a: Value, b: Value): Value {
    return value(this.tf.lessEqual(tensor(a), tensor(b)));
  }
  equal(a: Value, b: Value): Value {
    return value(this.tf.equal(tensor(a), tensor(b)));
  }
  logicalAnd(a: Value, b: Value): Value {
    return value(this.tf.logicalAnd(tensor(a), tensor(b)));
  }

  neg(x: Value): Value {
    return value(this.tf.neg(tensor(x)));
  }
  exp(x: Value): Value {
    return value(this.tf.exp(tensor(x)));
  }
  log(x: Value): Value {
    return value(this.tf.log(tensor(x)));
  }
  sqrt(x: Value): Value {
    return value(this.tf.sqrt(tensor(x)));
  }
  rsqrt(x: Value): Value {
    return value(this.tf.rsqrt(tensor(x)));
  }
  square(x: Value): Value {
    return value(this.tf.square(tensor(x)));
  }
  sigmoid(x: Value): Value {
    return value(this.tf.sigmoid(tensor(x)));
  }
  tanh(x: Value): Value {
    return value(this.tf.tanh(tensor(x)));
  }
  cos(x: Value): Value {
    return value(this.tf.cos(tensor(x)));
  }
  sin(x: Value): Value {
    return value(this.tf.sin(tensor(x)));
  }
  softmax(x: Value): Value {
    return value(this.tf.softmax(tensor(x)));
  }

  sum(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.reduced(this.tf.sum(tensor(x), [...axes], keepDims), x, axes, keepDims);
  }
  mean(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.reduced(this.tf.mean(tensor(x), [...axes], keepDims), x, axes, keepDims);
  }
  max(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.reduced(this.tf.max(tensor(x), [...axes], keepDims), x, axes, keepDims);
  }
  private reduced(result: Tensor, x: Value, axes: readonly number[], keepDims: boolean): Value {
    return value(this.tf.reshape(result, reducedShape(x.shape, axes, keepDims)));
  }
  argMax(x: Value): Value {
    return value(this.tf.argMax(tensor(x), x.shape.length - 1));
  }
  topK(x: Value, k: number): { values: Value; indices: Value } {
    const { values, indices } = this.tf.topk(tensor(x), k);
    return { values: value(values), indices: value(indices) };
  }

  reshape(x: Value, shape: readonly number[]): Value {
    return value(this.tf.reshape(tensor(x), [...shape]));
  }
  transpose(x: Value, permutation: readonly number[]): Value {
    return value(this.tf.transpose(tensor(x), [...permutation]));
  }
  slice(x: Value, begin: readonly number[], size: readonly number[]): Value {
    return value(this.tf.slice(tensor(x), [...begin], [...size]));
  }
  split(x: Value, sizes: readonly number[], axis: number): Value[] {
    return this.tf.split(tensor(x), [...sizes], axis).map(value);
  }
  concat(values: readonly Value[], axis: number): Value {
    return values.length === 1 ? values[0] : value(this.tf.concat(values.map(tensor), axis));
  }
  cast(x: Value, dtype: DType): Value {
    return x.dtype === dtype ? x : value(this.tf.cast(tensor(x), supported(dtype)));
  }

  gather(table: Value, indices: Value): Value {
    return value(this.tf.gather(tensor(table), tensor(indices)));
  }
  pick(x: Value, indices: Value): Value {
    const hot = this.tf.oneHot(tensor(indices), x.shape[1]);
    return value(this.tf.sum(this.tf.mul(tensor(x), hot), 1));
  }
  segmentSum(x: Value, ids: Value, count: number): Value {
    return value(this.tf.unsortedSegmentSum(tensor(x), tensor(ids) as Tfjs.Tensor1D, count));
  }
  select(condition: Value, a: Value, b: Value): Value {
    return value(this.tf.where(tensor(condition), tensor(a), tensor(b)));
  }
  randomUniform(shape: readonly number[], seed: Value): Value {
    const [first, second] = tensor(seed).dataSync();
    return value(this.tf.randomUniform([...shape], 0, 1, 'float32', Math.imul(first, 0x9e3779b1) ^ second));
  }
  barrier(x: Value): Value {
    return x;
  }

  scope<T>(_name: string, f: () => T): T {
    return f();
  }
  fuse(_name: string, inputs: readonly Value[], f: (ops: Ops, inputs: readonly Value[]) => Value[]): Value[] {
    return f(this, inputs);
  }
  custom(inputs: readonly Value[], forward: CustomForward): Value[] {
    const none = inputs.map(() => false);
    return forward(this, none).outputs;
  }
  checkpoint(inputs: readonly Value[], f: (ops: Ops, inputs: readonly Value[]) => Value): Value {
    return f(this, inputs);
  }
}

function supported(dtype: DType): 'float32' | 'int32' | 'bool' {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new Error(`tfjs has no ${dtype}`);
}

/** The values of a tensor that `EagerOps` made. */
export function readTfjs(result: Value): Float32Array | Int32Array {
  return tensor(result).dataSync() as Float32Array | Int32Array;
}
