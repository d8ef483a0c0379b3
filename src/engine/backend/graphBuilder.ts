/** The body of a function while it is written: `FusingOps`, and what only a function has (arguments, variables, updates). */
import type { Attr } from './functionDef';
import { FusingOps } from './fusion';
import { boolAttr, typeAttr, type GraphValue } from './graphOps';
import type { DType, Value } from './ops';

/** A variable that lives in a session; its name is unique there. */
export interface Variable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Name of a node that has an effect: what comes after it names it, and the program that wants it lists it. */
export type Effect = string;

export class GraphBuilder extends FusingOps {
  /** Arguments in the order they were asked for. */
  readonly inputs: GraphValue[] = [];
  private readonly handles = new Map<string, { variable: Variable; handle: Value }>();

  /** `container` sets the variables of one session apart from those of another. */
  constructor(private readonly container: string) {
    super();
  }

  /** Every variable that was named. */
  get variables(): Variable[] {
    return Array.from(this.handles.values(), ({ variable }) => variable);
  }

  /** An argument of the function. */
  placeholder(shape: readonly number[], dtype: DType): GraphValue {
    const input: GraphValue = { shape, dtype, node: null, reference: `input${this.inputs.length}` };
    this.inputs.push(input);
    return input;
  }

  /** Every function of a session that names the same variable shares its storage. */
  private handle(variable: Variable): Value {
    const known = this.handles.get(variable.name);
    if (known) return known.handle;
    const attrs: Record<string, Attr> = {
      dtype: typeAttr(variable.dtype),
      shape: { kind: 'shape', value: variable.shape },
      shared_name: { kind: 'string', value: variable.name },
      container: { kind: 'string', value: this.container },
    };
    // The dtype of a handle is never looked at.
    const handle = this.emit('VarHandleOp', [], attrs, [{ shape: [], dtype: 'int32' }]).values[0];
    this.handles.set(variable.name, { variable, handle });
    return handle;
  }

  /** The value of a variable after the given effects. */
  read(variable: Variable, after: readonly Effect[] = []): Value {
    const output = [{ shape: variable.shape, dtype: variable.dtype }];
    const attrs = { dtype: typeAttr(variable.dtype) };
    return this.emit('ReadVariableOp', [this.handle(variable)], attrs, output, { controls: after }).values[0];
  }

  assign(variable: Variable, value: Value, after: readonly Effect[] = []): Effect {
    const attrs = { dtype: typeAttr(variable.dtype) };
    return this.emit('AssignVariableOp', [this.handle(variable), value], attrs, [], { controls: after }).name;
  }

  assignAdd(variable: Variable, value: Value, after: readonly Effect[] = []): Effect {
    const attrs = { dtype: typeAttr(variable.dtype) };
    return this.emit('AssignAddVariableOp', [this.handle(variable), value], attrs, [], { controls: after })
      .name;
  }

  /** A tensor of one value, made by the library. */
  fill(shape: readonly number[], value: number, dtype: DType): Value {
    const dims = this.constant(Int32Array.from(shape), [shape.length], 'int32');
    const attrs = { T: typeAttr(dtype), index_type: typeAttr('int32') };
    return this.emit('Fill', [dims, this.scalar(value, dtype)], attrs, [{ shape, dtype }]).values[0];
  }

  /** -1, 0 or 1. */
  sign(x: Value): Value {
    return this.emit('Sign', [x], { T: typeAttr(x.dtype) }, [{ shape: x.shape, dtype: x.dtype }]).values[0];
  }

  /** Whether no element is infinite or NaN; bool scalar. */
  allFinite(x: Value): Value {
    const finite = this.emit('IsFinite', [x], { T: typeAttr(x.dtype) }, [{ shape: x.shape, dtype: 'bool' }]);
    const axes = this.constant(Int32Array.from(x.shape.keys()), [x.shape.length], 'int32');
    const attrs = { Tidx: typeAttr('int32'), keep_dims: boolAttr(false) };
    return this.emit('All', [finite.values[0], axes], attrs, [{ shape: [], dtype: 'bool' }]).values[0];
  }

  /** variable[rows[i]] = values[i]; rows int32 [n], values [n, ...]. */
  scatterRows(variable: Variable, rows: Value, values: Value, after: readonly Effect[] = []): Effect {
    const attrs = { dtype: typeAttr(variable.dtype), Tindices: typeAttr('int32') };
    const inputs = [this.handle(variable), rows, values];
    return this.emit('ResourceScatterUpdate', inputs, attrs, [], { controls: after }).name;
  }

  /** variable -= rate * value. */
  applyGradientDescent(variable: Variable, rate: Value, value: Value, after: readonly Effect[] = []): Effect {
    const attrs = { T: typeAttr(variable.dtype), use_locking: boolAttr(false) };
    const inputs = [this.handle(variable), rate, value];
    return this.emit('ResourceApplyGradientDescent', inputs, attrs, [], { controls: after }).name;
  }

  /**
   * One fused Adam update. TensorFlow adds epsilon to the square root of the **uncorrected** second moment, so callers who
   * follow the paper's corrected form pass epsilon * sqrt(1 - beta2^t).
   */
  applyAdam(
    state: { variable: Variable; m: Variable; v: Variable },
    rates: {
      beta1Power: Value;
      beta2Power: Value;
      learningRate: Value;
      beta1: Value;
      beta2: Value;
      epsilon: Value;
    },
    gradient: Value,
    after: readonly Effect[] = [],
  ): Effect {
    const attrs = {
      T: typeAttr(state.variable.dtype),
      use_locking: boolAttr(false),
      use_nesterov: boolAttr(false),
    };
    const inputs = [
      this.handle(state.variable),
      this.handle(state.m),
      this.handle(state.v),
      rates.beta1Power,
      rates.beta2Power,
      rates.learningRate,
      rates.beta1,
      rates.beta2,
      rates.epsilon,
      gradient,
    ];
    return this.emit('ResourceApplyAdam', inputs, attrs, [], { controls: after }).name;
  }

  /** Frees the storage of a variable; an assignment makes it anew. */
  destroy(variable: Variable, after: readonly Effect[] = []): Effect {
    const attrs = { ignore_lookup_error: boolAttr(true) };
    return this.emit('DestroyResourceOp', [this.handle(variable)], attrs, [], { controls: after }).name;
  }
}
