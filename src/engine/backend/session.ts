/**
 * Compiled functions and the variables they share. A program is one TensorFlow function; the library prepares each by itself, so
 * that a new one (another sequence length, say) costs the same however many there are already. In one growing graph the price of
 * each would be that of all before it.
 */
import { eagerContext } from './context';
import { callAside, callNow } from './eagerCall';
import type { MappedBytes } from './fileMemory';
import { encodeFunction } from './functionDef';
import { GraphBuilder, type Effect, type Variable } from './graphBuilder';
import { typeAttr, type GraphValue } from './graphOps';
import { checked, native, type Pointer } from './native';
import { mapTensor, readTensorFrom } from './nativeLoading';
import type { DType, Value } from './ops';
import type { LoadOptions, StoredTensor } from './storedTensor';
import { newTensor, readTensor, type NativeTensor, type HostArray } from './tensor';

/** What a run returns and does. */
export interface RunDefinition {
  outputs: readonly Value[];
  /** Effects that run besides what the outputs need. */
  effects: readonly Effect[];
}

/** What a program takes, returns and does; feeds of `run` are in the order of `inputs`. */
export interface ProgramDefinition extends RunDefinition {
  inputs: readonly GraphValue[];
}

export type Feed = HostArray;

/** A function that can be run. */
export interface Program {
  /**
   * Runs it. `feeds[i]` has the shape and dtype of input i (bfloat16 as Uint16Array bit patterns).
   * Throws `engine.runFailed` or `engine.outOfMemory`.
   */
  run(feeds: readonly Feed[]): Promise<(Float32Array | Int32Array)[]>;
  /** Frees the function, not its variables; it cannot be run any more. */
  dispose(): void;
}

/** Programs and the variables they share. */
export abstract class Session {
  /** Adds a program, which stays until it is disposed of or the session is closed. */
  abstract compile(build: (graph: GraphBuilder) => ProgramDefinition): Program;

  /** Gives a variable a value of the given dtype. */
  async assign(variable: Variable, dtype: DType, value: HostArray): Promise<void> {
    await this.runOnce(
      (graph) => {
        const input = graph.placeholder(variable.shape, dtype);
        const effect = graph.assign(variable, graph.cast(input, variable.dtype));
        return { inputs: [input], outputs: [], effects: [effect] };
      },
      [value],
    );
  }

  /** Gives a variable the value of a tensor in a file. Throws `checkpoint.truncated`, and what `giveUp` throws. */
  async load(variable: Variable, stored: StoredTensor, { giveUp }: LoadOptions): Promise<void> {
    giveUp();
    const bytes = new Uint8Array(stored.byteLength);
    stored.read(0, bytes);
    await this.assign(variable, stored.dtype, bytes);
  }

  /** The value of a variable, widened to float32. */
  async read(variable: Variable): Promise<Float32Array> {
    const [values] = await this.runOnce((graph) => ({
      inputs: [],
      outputs: [graph.cast(graph.read(variable), 'float32')],
      effects: [],
    }));
    return values as Float32Array;
  }

  /** Waits for the current run, then frees every variable and function. */
  abstract close(): Promise<void>;

  /** Compiles a program, runs it and frees it: for what is done a single time. */
  async runOnce(
    build: (graph: GraphBuilder) => ProgramDefinition,
    feeds: readonly Feed[] = [],
  ): Promise<(Float32Array | Int32Array)[]> {
    const program = this.compile(build);
    try {
      return await program.run(feeds);
    } finally {
      program.dispose();
    }
  }
}

let sessions = 0;

class NativeProgram implements Program {
  constructor(
    private readonly session: NativeSession,
    readonly name: string,
    private readonly inputs: readonly GraphValue[],
    private readonly outputCount: number,
  ) {}

  /** Off the JavaScript thread. */
  async run(feeds: readonly Feed[]): Promise<(Float32Array | Int32Array)[]> {
    const handles: Pointer[] = [];
    try {
      feeds.forEach((feed, i) => handles.push(newHandle(feed, this.inputs[i])));
      return readHandles(await this.session.run(this.name, handles, this.outputCount));
    } finally {
      for (const handle of handles) native().deleteHandle(handle);
    }
  }

  dispose(): void {
    this.session.remove(this.name);
  }
}

/** Fused functions that the library has: equal ones of all programs are one, and stay. */
const fusedFunctions = new Set<string>();

function addFused(name: string, definition: Uint8Array): void {
  if (fusedFunctions.has(name)) return;
  addFunction(definition);
  fusedFunctions.add(name);
}

function addFunction(definition: Uint8Array): void {
  checked((status) => native().addFunction(eagerContext(), definition, definition.length, status));
}

/** A handle that keeps the tensor's memory alive; the caller deletes it. */
function newHandle(feed: Feed, input: GraphValue): Pointer {
  const tensor = newTensor(feed, input);
  try {
    return tensor.handle();
  } finally {
    tensor.dispose();
  }
}

function castNow(value: Pointer, from: DType, to: DType): Pointer {
  const attrs = { SrcT: typeAttr(from), DstT: typeAttr(to) };
  return callNow({ op: 'Cast', inputs: [value], attrs, outputs: 1 })[0];
}

/** Copies results to the host one by one and deletes their handles, all of them even where one cannot be copied. */
function readHandles(handles: readonly Pointer[]): (Float32Array | Int32Array)[] {
  const pending = [...handles];
  const results: (Float32Array | Int32Array)[] = [];
  try {
    while (pending.length > 0) results.push(readHandle(pending.shift()));
    return results;
  } finally {
    for (const handle of pending) native().deleteHandle(handle);
  }
}

/** Copies a result to the host and deletes its handle. */
function readHandle(handle: Pointer): Float32Array | Int32Array {
  const api = native();
  try {
    const tensor = checked((status) => api.resolveHandle(handle, status));
    try {
      return readTensor(tensor);
    } finally {
      api.deleteTensor(tensor);
    }
  } finally {
    api.deleteHandle(handle);
  }
}

/** A session of libtensorflow. */
export class NativeSession extends Session {
  private readonly id = `session${sessions++}`;
  private readonly functions = new Set<string>();
  private compiled = 0;
  private readonly variables = new Map<string, Variable>();
  /** Files that are values of variables. */
  private readonly mapped: MappedBytes[] = [];
  private populated: Promise<unknown> = Promise.resolve();
  private closed = false;
  private running: Promise<unknown> = Promise.resolve();

  compile(build: (graph: GraphBuilder) => ProgramDefinition): Program {
    const graph = new GraphBuilder(this.id);
    const { inputs, outputs, effects } = build(graph);
    for (const variable of graph.variables) this.variables.set(variable.name, variable);
    const name = `${this.id}_program${this.compiled++}`;
    const definition = encodeFunction({
      name,
      nodes: graph.nodes,
      inputs: inputs.map(({ reference, dtype }) => ({ name: reference, dtype })),
      outputs: outputs.map((value) => ({ reference: (value as GraphValue).reference, dtype: value.dtype })),
      effects,
    });
    for (const [fused, body] of graph.fused) addFused(fused, body);
    addFunction(definition);
    this.functions.add(name);
    return new NativeProgram(this, name, inputs, outputs.length);
  }

  /** Frees a function; only while it does not run. */
  remove(name: string): void {
    if (!this.functions.delete(name)) return;
    checked((status) => native().removeFunction(eagerContext(), name, status));
  }

  /** Calls a function, one call after the other; the caller owns the handles on both sides. */
  run(name: string, inputs: readonly Pointer[], outputCount: number): Promise<Pointer[]> {
    return this.inTurn(() => callAside({ op: name, inputs, outputs: outputCount }));
  }

  private async inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const call = this.running
      .catch(() => undefined)
      .then(() => {
        if (this.closed) throw new Error('the session is closed');
        return work();
      });
    this.running = call;
    return call;
  }

  override async assign(variable: Variable, dtype: DType, value: HostArray): Promise<void> {
    const tensor = newTensor(value, { shape: variable.shape, dtype });
    try {
      await this.inTurn(() => this.take(variable, tensor));
    } finally {
      tensor.dispose();
    }
  }

  override async load(variable: Variable, stored: StoredTensor, options: LoadOptions): Promise<void> {
    const { shape, dtype } = variable;
    const found = stored.dtype === dtype && !options.updated ? mapTensor(stored, shape) : null;
    if (found) this.keep(found.mapped);
    const tensor = found?.tensor ?? (await readTensorFrom(stored, shape, dtype, options));
    try {
      await this.inTurn(() => this.take(variable, tensor));
    } finally {
      tensor.dispose();
    }
  }

  /** What is mapped comes into memory in the order of the file, while something else is done. */
  private keep(mapped: MappedBytes): void {
    this.mapped.push(mapped);
    this.populated = this.populated.then(() => (this.closed ? undefined : mapped.populate()));
  }

  /** The variable takes the tensor's memory over, where it is in its dtype. */
  private take(variable: Variable, tensor: NativeTensor): void {
    this.variables.set(variable.name, variable);
    const handles: Pointer[] = [];
    try {
      handles.push(tensor.handle());
      if (tensor.dtype !== variable.dtype) handles.push(castNow(handles[0], tensor.dtype, variable.dtype));
      const value = handles[handles.length - 1];
      const resource = this.handleOf(variable);
      handles.push(resource);
      const attrs = { dtype: typeAttr(variable.dtype) };
      callNow({ op: 'AssignVariableOp', inputs: [resource, value], attrs, outputs: 0 });
    } finally {
      for (const handle of handles) native().deleteHandle(handle);
    }
  }

  /** The variable that this session's functions know by its name. */
  private handleOf({ name, shape, dtype }: Variable): Pointer {
    const attrs = {
      dtype: typeAttr(dtype),
      shape: { kind: 'shape', value: shape },
      shared_name: { kind: 'string', value: name },
      container: { kind: 'string', value: this.id },
    } as const;
    return callNow({ op: 'VarHandleOp', inputs: [], attrs, outputs: 1 })[0];
  }

  override read(variable: Variable): Promise<Float32Array> {
    return this.inTurn(() => {
      const handles: Pointer[] = [this.handleOf(variable)];
      try {
        const attrs = { dtype: typeAttr(variable.dtype) };
        handles.push(...callNow({ op: 'ReadVariableOp', inputs: handles, attrs, outputs: 1 }));
        const value = handles.pop();
        // bfloat16 is widened while it is copied.
        if (variable.dtype === 'float32' || variable.dtype === 'bfloat16') return readHandle(value);
        handles.push(value);
        return readHandle(castNow(value, variable.dtype, 'float32'));
      } finally {
        for (const handle of handles) native().deleteHandle(handle);
      }
    }) as Promise<Float32Array>;
  }

  async close(): Promise<void> {
    await this.running.catch(() => undefined);
    if (this.closed) return;
    const variables = [...this.variables.values()];
    try {
      await this.runOnce((graph) => ({
        inputs: [],
        outputs: [],
        effects: variables.map((variable) => graph.destroy(variable)),
      }));
    } finally {
      this.closed = true;
      for (const name of [...this.functions]) this.remove(name);
      await this.populated;
      for (const mapped of this.mapped) mapped.unmap();
    }
  }
}

export type { Variable };
