/**
 * Compiled functions and the variables they share. A program is one TensorFlow function; the library prepares each by itself, so
 * that a new one (another sequence length, say) costs the same however many there are already. In one growing graph the price of
 * each would be that of all before it.
 */
import { promisify } from 'node:util';
import { eagerContext } from './context';
import { encodeFunction } from './functionDef';
import { GraphBuilder, type Effect, type Variable } from './graphBuilder';
import type { GraphValue } from './graphOps';
import { checked, native, throwOnError, type Pointer } from './native';
import type { Value } from './ops';
import { NativeTensor, newTensor, readTensor, type HostArray, type StagedTensor } from './tensor';

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

export type Feed = HostArray | StagedTensor;

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
  const tensor = ArrayBuffer.isView(feed) ? newTensor(feed, input) : (feed as NativeTensor);
  try {
    return checked((status) => native().newHandle(tensor.pointer, status));
  } finally {
    if (tensor !== feed) tensor.dispose();
  }
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
  async run(name: string, inputs: readonly Pointer[], outputCount: number): Promise<Pointer[]> {
    const call = this.running.catch(() => undefined).then(() => this.runNow(name, inputs, outputCount));
    this.running = call;
    return call;
  }

  private async runNow(name: string, inputs: readonly Pointer[], outputCount: number): Promise<Pointer[]> {
    if (this.closed) throw new Error('the session is closed');
    const api = native();
    const op = checked((newStatus) => api.newOp(eagerContext(), name, newStatus));
    const status = api.newStatus();
    try {
      for (const input of inputs) checked((inputStatus) => api.addInput(op, input, inputStatus));
      const results = new Array<Pointer>(outputCount).fill(null);
      const execute = promisify<unknown[], unknown>(api.execute.async) as (
        ...args: unknown[]
      ) => Promise<unknown>;
      await execute(op, results, [outputCount], status);
      throwOnError(status);
      return results;
    } finally {
      api.deleteOp(op);
      api.deleteStatus(status);
    }
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
    }
  }
}

export type { Variable };
