/** Parts of a function that are functions of their own, which XLA compiles into few kernels. */
import { createHash } from 'node:crypto';
import { canFuse, fusionPays } from './context';
import { encodeFunction, MUST_COMPILE, type Attr } from './functionDef';
import { boolAttr, GraphOps, type Attrs, type GraphValue } from './graphOps';
import { TF_DTYPE } from './native';
import type { DType, FuseOptions, MatMulOptions, Ops, Value } from './ops';

export class FusingOps extends GraphOps {
  /** Functions that are called here, by name: they have to be known before this one. */
  readonly fused = new Map<string, Uint8Array>();

  override fuse(
    label: string,
    inputs: readonly Value[],
    f: (ops: Ops, inputs: readonly Value[]) => Value[],
    { always = false }: FuseOptions = {},
  ): Value[] {
    if (!canFuse() || !(always || fusionPays())) return f(this, inputs);
    const body = new GraphOps();
    const outputs = f(
      body,
      inputs.map((input, i) => argument(input, i)),
    );
    return this.callFused(label, body, inputs, outputs);
  }

  /**
   * The same for a whole part of a model, matrix products and all. What f uses from around it becomes an input, so that equal parts
   * (layers) with different weights are compiled once.
   */
  enclose(label: string, f: (ops: Ops) => Value[]): Value[] {
    if (!canFuse()) return f(this);
    const body = new EnclosedBody();
    const outputs = f(body);
    return this.callFused(label, body, body.captured, outputs);
  }

  private callFused(
    label: string,
    body: GraphOps,
    inputs: readonly Value[],
    outputs: readonly Value[],
  ): Value[] {
    const name = this.addFused(label, body, inputs, outputs);
    const types = (values: readonly Value[]): Attr => ({
      kind: 'types',
      values: values.map(({ dtype }) => TF_DTYPE[dtype]),
    });
    const attrs: Attrs = {
      Tin: types(inputs),
      Tout: types(outputs),
      f: { kind: 'function', name },
      [MUST_COMPILE]: boolAttr(true),
    };
    return this.emit('PartitionedCall', inputs, attrs, outputs, { name: this.uniqueName(label) }).values;
  }

  /** Named by what it does, so that equal ones are one function, in whichever programs they stand. */
  private addFused(
    label: string,
    { nodes }: GraphOps,
    inputs: readonly Value[],
    outputs: readonly Value[],
  ): string {
    const definition = {
      nodes,
      inputs: inputs.map((input, i) => ({ name: argument(input, i).reference, dtype: input.dtype })),
      outputs: outputs.map((value) => ({ reference: (value as GraphValue).reference, dtype: value.dtype })),
      effects: [],
      isFused: true,
    };
    const digest = createHash('sha256').update(encodeFunction({ ...definition, name: label }));
    const name = `${label}_${digest.digest('hex').slice(0, 16)}`;
    this.fused.set(name, encodeFunction({ ...definition, name }));
    return name;
  }
}

/** The body of a part of a model (`enclose`): values of the function around it are taken in as arguments. */
class EnclosedBody extends GraphOps {
  /** Values from around it, in the order of the arguments. */
  readonly captured: Value[] = [];
  private readonly inside = new Map<Value, Value>();

  private within(value: Value): Value {
    let own = this.inside.get(value);
    if (!own) {
      own = argument(value, this.captured.length);
      this.captured.push(value);
      this.inside.set(value, own);
    }
    return own;
  }

  protected override emit(
    op: string,
    inputs: readonly Value[],
    attrs: Attrs,
    outputs: readonly { shape: readonly number[]; dtype: DType }[],
    options: { name?: string; controls?: readonly string[] } = {},
  ): { name: string; values: GraphValue[] } {
    const emitted = super.emit(
      op,
      inputs.map((input) => this.within(input)),
      attrs,
      outputs,
      options,
    );
    for (const value of emitted.values) this.inside.set(value, value);
    return emitted;
  }

  override barrier(x: Value, after: Value): Value {
    return super.barrier(x, this.within(after));
  }

  /**
   * A row times a matrix is computed as matrix times column, in float32: XLA's fastest form on a CPU, at the speed of memory. The
   * widening of a narrower matrix becomes a part of it. (2 cores with AVX2, 12288 x 2048: float32 4.3 ms against 5.3 of the library's
   * own kernel, bfloat16 3.5 ms against 82.)
   */
  override matMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
    const [rows, inner] = a.shape;
    if (rows !== 1 || options.transposeA || !options.transposeB)
      return this.cast(super.matMul(this.wide(a), this.wide(b), options), a.dtype);
    const column = this.reshape(this.wide(a), [inner, 1]);
    return this.cast(this.reshape(super.matMul(this.wide(b), column), [1, b.shape[0]]), a.dtype);
  }

  override batchMatMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
    return this.cast(super.batchMatMul(this.wide(a), this.wide(b), options), a.dtype);
  }

  private wide(x: Value): Value {
    return this.cast(x, 'float32');
  }
}

/** Input `index` as the body of a function sees it. */
function argument({ shape, dtype }: Value, index: number): GraphValue {
  return { shape, dtype, node: null, reference: `argument${index}` };
}
