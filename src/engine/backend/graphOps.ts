/** `Ops` that emit the nodes of a function's body. Operation names and attributes: TensorFlow's op registry (2.21). */
import { toHalfBits } from '../../checkpoint/narrow';
import type { Attr, NodeDef } from './functionDef';
import { TF_DTYPE } from './native';
import { outputReference } from './outputNames';
import {
  broadcastShape,
  matMulShape,
  reducedShape,
  sizeOf,
  type CustomForward,
  type DType,
  type FuseOptions,
  type MatMulOptions,
  type Ops,
  type Value,
} from './ops';

/** An output of a node, or an argument of the function. */
export interface GraphValue extends Value {
  /** How a node names it as its input. */
  readonly reference: string;
  /** The node it comes from; null for an argument, which is there from the start. */
  readonly node: string | null;
}

export type Attrs = Record<string, Attr>;

export const typeAttr = (dtype: DType): Attr => ({ kind: 'type', value: TF_DTYPE[dtype] });
export const intAttr = (value: number): Attr => ({ kind: 'int', value });
export const boolAttr = (value: boolean): Attr => ({ kind: 'bool', value });

/** Constants up to this many bytes are shared between their uses. */
const SHARED_CONSTANT_BYTES = 256;

export class GraphOps implements Ops {
  readonly nodes: NodeDef[] = [];
  private readonly counts = new Map<string, number>();
  /** What names of nodes begin with: the open scopes, as `layer3/attention/`. */
  private path = '';
  private readonly constants = new Map<string, Value>();

  /** Adds a node; `controls` are names of nodes that run before it. Returns its outputs (its name where it has none). */
  protected emit(
    op: string,
    inputs: readonly Value[],
    attrs: Attrs,
    outputs: readonly { shape: readonly number[]; dtype: DType }[],
    options: { name?: string; controls?: readonly string[] } = {},
  ): { name: string; values: GraphValue[] } {
    const name = options.name ?? this.uniqueName(op);
    const references = inputs.map((input) => (input as GraphValue).reference);
    const controls = (options.controls ?? []).map((control) => `^${control}`);
    const work = { operands: inputs, results: outputs };
    this.nodes.push({ name, op, attrs, inputs: [...references, ...controls], ...work });
    const values = outputs.map((output, index) => ({
      ...output,
      node: name,
      reference: outputReference(op, name, index),
    }));
    return { name, values };
  }

  protected uniqueName(op: string): string {
    const count = this.counts.get(op) ?? 0;
    this.counts.set(op, count + 1);
    return `${this.path}${op}_${count}`;
  }

  scope<T>(name: string, f: () => T): T {
    const outer = this.path;
    this.path = `${outer}${name}/`;
    try {
      return f();
    } finally {
      this.path = outer;
    }
  }

  private one(
    op: string,
    inputs: readonly Value[],
    attrs: Attrs,
    shape: readonly number[],
    dtype: DType,
  ): Value {
    return this.emit(op, inputs, attrs, [{ shape, dtype }]).values[0];
  }

  constant(values: Float32Array | Int32Array, shape: readonly number[], dtype: DType): Value {
    const bytes = encodeConstant(values, dtype);
    const attrs: Attrs = {
      dtype: typeAttr(dtype),
      value: { kind: 'tensor', dtype: TF_DTYPE[dtype], shape, bytes },
    };
    if (bytes.length > SHARED_CONSTANT_BYTES) return this.one('Const', [], attrs, shape, dtype);
    const key = `${dtype}[${shape.join()}]${Buffer.from(bytes).toString('latin1')}`;
    let value = this.constants.get(key);
    if (!value) {
      value = this.one('Const', [], attrs, shape, dtype);
      this.constants.set(key, value);
    }
    return value;
  }

  scalar(value: number, dtype: DType): Value {
    return this.constant(dtype === 'int32' ? Int32Array.of(value) : Float32Array.of(value), [], dtype);
  }

  private ints(values: readonly number[]): Value {
    return this.constant(Int32Array.from(values), [values.length], 'int32');
  }

  matMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
    const attrs: Attrs = {
      T: typeAttr(a.dtype),
      transpose_a: boolAttr(options.transposeA ?? false),
      transpose_b: boolAttr(options.transposeB ?? false),
    };
    return this.one('MatMul', [a, b], attrs, matMulShape(a, b, options), a.dtype);
  }

  /** V2, not V3: on the CPU V3 does not reach the matrix units in bfloat16. */
  batchMatMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
    const attrs: Attrs = {
      T: typeAttr(a.dtype),
      adj_x: boolAttr(options.transposeA ?? false),
      adj_y: boolAttr(options.transposeB ?? false),
    };
    return this.one('BatchMatMulV2', [a, b], attrs, matMulShape(a, b, options), a.dtype);
  }

  biasAdd(x: Value, bias: Value): Value {
    const attrs: Attrs = { T: typeAttr(x.dtype), data_format: { kind: 'string', value: 'NHWC' } };
    return this.one('BiasAdd', [x, bias], attrs, x.shape, x.dtype);
  }

  private binary(op: string, a: Value, b: Value, dtype: DType = a.dtype): Value {
    if (a.dtype !== b.dtype) throw new Error(`${op} of ${a.dtype} and ${b.dtype}`);
    return this.one(op, [a, b], { T: typeAttr(a.dtype) }, broadcastShape(a.shape, b.shape), dtype);
  }

  add(a: Value, b: Value): Value {
    return this.binary('AddV2', a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.binary('Sub', a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.binary('Mul', a, b);
  }
  div(a: Value, b: Value): Value {
    return this.binary('RealDiv', a, b);
  }
  lessEqual(a: Value, b: Value): Value {
    return this.binary('LessEqual', a, b, 'bool');
  }
  equal(a: Value, b: Value): Value {
    return this.binary('Equal', a, b, 'bool');
  }
  logicalAnd(a: Value, b: Value): Value {
    return this.one('LogicalAnd', [a, b], {}, broadcastShape(a.shape, b.shape), 'bool');
  }

  private unary(op: string, x: Value): Value {
    return this.one(op, [x], { T: typeAttr(x.dtype) }, x.shape, x.dtype);
  }

  neg(x: Value): Value {
    return this.unary('Neg', x);
  }
  exp(x: Value): Value {
    return this.unary('Exp', x);
  }
  log(x: Value): Value {
    return this.unary('Log', x);
  }
  sqrt(x: Value): Value {
    return this.unary('Sqrt', x);
  }
  rsqrt(x: Value): Value {
    return this.unary('Rsqrt', x);
  }
  square(x: Value): Value {
    return this.unary('Square', x);
  }
  sigmoid(x: Value): Value {
    return this.unary('Sigmoid', x);
  }
  tanh(x: Value): Value {
    return this.unary('Tanh', x);
  }
  cos(x: Value): Value {
    return this.unary('Cos', x);
  }
  sin(x: Value): Value {
    return this.unary('Sin', x);
  }
  softmax(x: Value): Value {
    return this.unary('Softmax', x);
  }

  private reduce(op: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
    const attrs: Attrs = { T: typeAttr(x.dtype), Tidx: typeAttr('int32'), keep_dims: boolAttr(keepDims) };
    return this.one(op, [x, this.ints(axes)], attrs, reducedShape(x.shape, axes, keepDims), x.dtype);
  }

  sum(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.reduce('Sum', x, axes, keepDims);
  }
  mean(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.reduce('Mean', x, axes, keepDims);
  }
  max(x: Value, axes: readonly number[], keepDims = false): Value {
    return this.reduce('Max', x, axes, keepDims);
  }

  argMax(x: Value): Value {
    const attrs: Attrs = { T: typeAttr(x.dtype), Tidx: typeAttr('int32'), output_type: typeAttr('int32') };
    return this.one(
      'ArgMax',
      [x, this.scalar(x.shape.length - 1, 'int32')],
      attrs,
      x.shape.slice(0, -1),
      'int32',
    );
  }

  topK(x: Value, k: number): { values: Value; indices: Value } {
    const shape = [...x.shape.slice(0, -1), k];
    const { values } = this.emit('TopKV2', [x, this.scalar(k, 'int32')], { T: typeAttr(x.dtype) }, [
      { shape, dtype: x.dtype },
      { shape, dtype: 'int32' },
    ]);
    return { values: values[0], indices: values[1] };
  }

  reshape(x: Value, shape: readonly number[]): Value {
    if (sizeOf(x.shape) !== sizeOf(shape))
      throw new Error(`reshape of [${x.shape.join()}] to [${shape.join()}]`);
    const attrs: Attrs = { T: typeAttr(x.dtype), Tshape: typeAttr('int32') };
    return this.one('Reshape', [x, this.ints(shape)], attrs, shape, x.dtype);
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    const attrs: Attrs = { T: typeAttr(x.dtype), Tperm: typeAttr('int32') };
    const shape = permutation.map((axis) => x.shape[axis]);
    return this.one('Transpose', [x, this.ints(permutation)], attrs, shape, x.dtype);
  }

  slice(x: Value, begin: readonly number[], size: readonly number[]): Value {
    const attrs: Attrs = { T: typeAttr(x.dtype), Index: typeAttr('int32') };
    return this.one('Slice', [x, this.ints(begin), this.ints(size)], attrs, size, x.dtype);
  }

  split(x: Value, sizes: readonly number[], axis: number): Value[] {
    const attrs: Attrs = { T: typeAttr(x.dtype), Tlen: typeAttr('int32'), num_split: intAttr(sizes.length) };
    const outputs = sizes.map((size) => ({
      shape: x.shape.map((n, i) => (i === axis ? size : n)),
      dtype: x.dtype,
    }));
    return this.emit('SplitV', [x, this.ints(sizes), this.scalar(axis, 'int32')], attrs, outputs).values;
  }

  concat(values: readonly Value[], axis: number): Value {
    if (values.length === 1) return values[0];
    const [first] = values;
    const total = values.reduce((sum, value) => sum + value.shape[axis], 0);
    const attrs: Attrs = { T: typeAttr(first.dtype), Tidx: typeAttr('int32'), N: intAttr(values.length) };
    const shape = first.shape.map((n, i) => (i === axis ? total : n));
    return this.one('ConcatV2', [...values, this.scalar(axis, 'int32')], attrs, shape, first.dtype);
  }

  cast(x: Value, dtype: DType): Value {
    if (x.dtype === dtype) return x;
    const attrs: Attrs = { SrcT: typeAttr(x.dtype), DstT: typeAttr(dtype) };
    return this.one('Cast', [x], attrs, x.shape, dtype);
  }

  gather(table: Value, indices: Value): Value {
    const attrs: Attrs = {
      Tparams: typeAttr(table.dtype),
      Tindices: typeAttr('int32'),
      Taxis: typeAttr('int32'),
      batch_dims: intAttr(0),
    };
    const shape = [...indices.shape, ...table.shape.slice(1)];
    return this.one('GatherV2', [table, indices, this.scalar(0, 'int32')], attrs, shape, table.dtype);
  }

  pick(x: Value, indices: Value): Value {
    const [n] = x.shape;
    const rows = this.constant(
      Int32Array.from({ length: n }, (_, i) => i),
      [n, 1],
      'int32',
    );
    const places = this.concat([rows, this.reshape(indices, [n, 1])], 1);
    const attrs: Attrs = { Tparams: typeAttr(x.dtype), Tindices: typeAttr('int32') };
    return this.one('GatherNd', [x, places], attrs, [n], x.dtype);
  }

  segmentSum(x: Value, ids: Value, count: number): Value {
    const attrs: Attrs = {
      T: typeAttr(x.dtype),
      Tindices: typeAttr('int32'),
      Tnumsegments: typeAttr('int32'),
    };
    const shape = [count, ...x.shape.slice(1)];
    return this.one('UnsortedSegmentSum', [x, ids, this.scalar(count, 'int32')], attrs, shape, x.dtype);
  }

  select(condition: Value, a: Value, b: Value): Value {
    const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape));
    return this.one('SelectV2', [condition, a, b], { T: typeAttr(a.dtype) }, shape, a.dtype);
  }

  randomUniform(shape: readonly number[], seed: Value): Value {
    const attrs: Attrs = { T: typeAttr('int32'), dtype: typeAttr('float32'), Tseed: typeAttr('int32') };
    return this.one('StatelessRandomUniform', [this.ints(shape), seed], attrs, shape, 'float32');
  }

  barrier(x: Value, after: Value): Value {
    const output = [{ shape: x.shape, dtype: x.dtype }];
    const { node } = after as GraphValue;
    const controls = node ? [node] : [];
    return this.emit('Identity', [x], { T: typeAttr(x.dtype) }, output, { controls }).values[0];
  }

  /** As operations of their own; see `FusingOps`. */
  fuse(
    _name: string,
    inputs: readonly Value[],
    f: (ops: Ops, inputs: readonly Value[]) => Value[],
    _options?: FuseOptions,
  ): Value[] {
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

function encodeConstant(values: Float32Array | Int32Array, dtype: DType): Uint8Array {
  if (dtype === 'bool') return Uint8Array.from(values);
  if (dtype === 'bfloat16' || dtype === 'float16') {
    const stored = dtype === 'float16' ? 'F16' : 'BF16';
    return new Uint8Array(toHalfBits(values as Float32Array, stored).buffer);
  }
  return new Uint8Array(values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength));
}
