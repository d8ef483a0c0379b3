/** What the operations of a program are in tfjs. Names and attributes are those that `GraphOps` and `GraphBuilder` emit. */
import type { Tensor } from '@tensorflow/tfjs';
import type { Attr } from '../functionDef';
import type { DType } from '../ops';
import type { Tfjs } from '../tfjs';
import { philoxUniform } from './philox';
import type { VariableTensors } from './variables';

/** One operation of a run. */
export interface Call {
  /** How many inputs it has. */
  readonly inputs: number;
  /** Input `i`. */
  tensor(i: number): Tensor;
  /** Input `i`, which is a constant of the program. */
  numbers(i: number): number[];
  /** Name of the variable whose handle is input `i`. */
  variable(i: number): string;
  flag(attr: string): boolean;
  dtype(attr: string): DType;
  /** Shape and dtype of the result. */
  readonly result: { shape: readonly number[]; dtype: DType };
  readonly variables: VariableTensors;
}

export interface Kernel {
  /** Inputs that are taken as numbers; negative ones count from the end. */
  constants?: readonly number[];
  /** Has an effect, so that it runs whether or not its results are wanted. */
  isEffect?: boolean;
  /** Gives new tensors, never one that it was given: each is disposed of on its own. */
  run(call: Call): Tensor | Tensor[] | void;
}

/** Formats that tfjs has. The others are kept in one of these: narrow floats as float32, narrow integers as int32. */
export type TensorDType = 'float32' | 'int32' | 'bool';

export const KEPT_AS: Readonly<Record<DType, TensorDType>> = {
  float32: 'float32',
  bfloat16: 'float32',
  float16: 'float32',
  int32: 'int32',
  uint8: 'int32',
  int8: 'int32',
  uint16: 'int32',
  bool: 'bool',
};

/** Bits of a float32 significand that the narrow formats lack. */
const LOST_BITS: Partial<Record<DType, number>> = { bfloat16: 16, float16: 13 };

const UNARY = {
  Neg: 'neg',
  Sign: 'sign',
  IsFinite: 'isFinite',
  Exp: 'exp',
  Log: 'log',
  Sqrt: 'sqrt',
  Rsqrt: 'rsqrt',
  Square: 'square',
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
  Cos: 'cos',
  Sin: 'sin',
  Softmax: 'softmax',
} as const;

const BINARY = {
  AddV2: 'add',
  BiasAdd: 'add',
  Sub: 'sub',
  Mul: 'mul',
  RealDiv: 'div',
  LessEqual: 'lessEqual',
  Equal: 'equal',
  LogicalAnd: 'logicalAnd',
} as const;

const REDUCTIONS = { Sum: 'sum', Mean: 'mean', Max: 'max', All: 'all' } as const;

/** Kernels by the name of the operation. */
export function createKernels(tf: typeof Tfjs): ReadonlyMap<string, Kernel> {
  const kernels = new Map<string, Kernel>(Object.entries({ ...operations(tf), ...variableOperations(tf) }));
  for (const [op, name] of Object.entries(UNARY)) kernels.set(op, { run: (c) => tf[name](c.tensor(0)) });
  for (const [op, name] of Object.entries(BINARY))
    kernels.set(op, { run: (c) => tf[name](c.tensor(0), c.tensor(1)) });
  for (const [op, name] of Object.entries(REDUCTIONS))
    kernels.set(op, {
      constants: [1],
      run: (c) => tf[name](c.tensor(0), c.numbers(1), c.flag('keep_dims')),
    });
  return kernels;
}

function operations(tf: typeof Tfjs): Record<string, Kernel> {
  return {
    MatMul: {
      run: (c) => tf.matMul(c.tensor(0), c.tensor(1), c.flag('transpose_a'), c.flag('transpose_b')),
    },
    BatchMatMulV2: { run: (c) => tf.matMul(c.tensor(0), c.tensor(1), c.flag('adj_x'), c.flag('adj_y')) },
    ArgMax: { constants: [1], run: (c) => tf.argMax(c.tensor(0), c.numbers(1)[0]) },
    TopKV2: {
      constants: [1],
      run(c) {
        const { values, indices } = tf.topk(c.tensor(0), c.numbers(1)[0]);
        return [values, indices];
      },
    },
    Identity: { run: (c) => c.tensor(0).clone() },
    Reshape: { constants: [1], run: (c) => tf.reshape(c.tensor(0), c.numbers(1)) },
    Transpose: { constants: [1], run: (c) => tf.transpose(c.tensor(0), c.numbers(1)) },
    Slice: { constants: [1, 2], run: (c) => tf.slice(c.tensor(0), c.numbers(1), c.numbers(2)) },
    SplitV: { constants: [1, 2], run: (c) => tf.split(c.tensor(0), c.numbers(1), c.numbers(2)[0]) },
    Fill: {
      constants: [0, 1],
      run: (c) => tf.fill(c.numbers(0), c.numbers(1)[0], KEPT_AS[c.result.dtype]),
    },
    ConcatV2: {
      constants: [-1],
      run: (c) => {
        const count = c.inputs - 1;
        const values = Array.from({ length: count }, (_, i) => c.tensor(i));
        return tf.concat(values, c.numbers(count)[0]);
      },
    },
    Cast: { run: (c) => cast(tf, c.tensor(0), c.dtype('SrcT'), c.dtype('DstT')) },
    GatherV2: { constants: [2], run: (c) => tf.gather(c.tensor(0), c.tensor(1)) },
    GatherNd: { run: (c) => tf.gatherND(c.tensor(0), c.tensor(1)) },
    UnsortedSegmentSum: {
      constants: [2],
      // tfjs has no such kernel on WebAssembly; scattering adds where an index occurs again.
      run: (c) => tf.scatterND(asColumn(tf, c.tensor(1)), c.tensor(0), [...c.result.shape]),
    },
    SelectV2: { run: (c) => tf.where(c.tensor(0), c.tensor(1), c.tensor(2)) },
    StatelessRandomUniform: {
      constants: [0],
      run(c) {
        const [first, second] = c.tensor(1).dataSync();
        return tf.tensor(philoxUniform(c.result.shape, first, second), [...c.result.shape]);
      },
    },
  };
}

function variableOperations(tf: typeof Tfjs): Record<string, Kernel> {
  const update = (run: (old: Tensor, c: Call) => Tensor): Kernel => ({
    isEffect: true,
    run(c) {
      const name = c.variable(0);
      c.variables.set(name, run(c.variables.get(name), c));
    },
  });
  return {
    ReadVariableOp: { run: (c) => c.variables.get(c.variable(0)).clone() },
    AssignVariableOp: { isEffect: true, run: (c) => c.variables.set(c.variable(0), c.tensor(1)) },
    AssignAddVariableOp: update((old, c) => tf.add(old, c.tensor(1))),
    DestroyResourceOp: { isEffect: true, run: (c) => c.variables.delete(c.variable(0)) },
    ResourceScatterUpdate: update((old, c) =>
      tf.tensorScatterUpdate(old, asColumn(tf, c.tensor(1)), c.tensor(2)),
    ),
    ResourceApplyGradientDescent: update((old, c) => tf.sub(old, tf.mul(c.tensor(2), c.tensor(1)))),
    ResourceApplyAdam: { isEffect: true, run: (c) => applyAdam(tf, c) },
  };
}

/** The formula of TensorFlow's kernel: epsilon is added to the root of the uncorrected second moment. */
function applyAdam(tf: typeof Tfjs, c: Call): void {
  const [variable, m, v] = [0, 1, 2].map((i) => c.variable(i));
  const [beta1Power, beta2Power, rate, beta1, beta2, epsilon, gradient] = [3, 4, 5, 6, 7, 8, 9].map((i) =>
    c.tensor(i),
  );
  const one = tf.scalar(1);
  const towards = (name: string, target: Tensor, beta: Tensor): Tensor => {
    const old = c.variables.get(name);
    const next = tf.add(old, tf.mul(tf.sub(target, old), tf.sub(one, beta)));
    c.variables.set(name, next);
    return next;
  };
  const first = towards(m, gradient, beta1);
  const second = towards(v, tf.square(gradient), beta2);
  const correction = tf.div(tf.sqrt(tf.sub(one, beta2Power)), tf.sub(one, beta1Power));
  const step = tf.div(tf.mul(first, tf.mul(rate, correction)), tf.add(tf.sqrt(second), epsilon));
  c.variables.set(variable, tf.sub(c.variables.get(variable), step));
}

/** A list [n] as indices [n, 1]. */
function asColumn(tf: typeof Tfjs, indices: Tensor): Tensor {
  return tf.reshape(indices, [indices.size, 1]);
}

function cast(tf: typeof Tfjs, x: Tensor, from: DType, to: DType): Tensor {
  const kept = KEPT_AS[to];
  const y = x.dtype === kept ? x.clone() : tf.cast(x, kept);
  const lost = KEPT_AS[from] === 'float32' ? (LOST_BITS[to] ?? 0) : 0;
  return lost > (LOST_BITS[from] ?? 0) ? rounded(tf, y, lost) : y;
}

/** x with `bits` bits less of significand, to the nearest (Dekker 1971, https://doi.org/10.1007/BF01397083). */
function rounded(tf: typeof Tfjs, x: Tensor, bits: number): Tensor {
  const scaled = tf.mul(x, tf.scalar(2 ** bits + 1));
  return tf.sub(scaled, tf.sub(scaled, x));
}

/** The value of an attribute of the given kind; throws where there is another. */
export function attrOf<K extends Attr['kind']>(
  attrs: Readonly<Record<string, Attr>>,
  name: string,
  kind: K,
): Extract<Attr, { kind: K }> {
  const attr = attrs[name] as Attr | undefined;
  if (attr?.kind !== kind) throw new Error(`attribute ${name} is not a ${kind}`);
  return attr as Extract<Attr, { kind: K }>;
}
