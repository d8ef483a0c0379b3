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
import { NativeTensor, newTensor, readTensor, type HostArray } from './tensor';

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

export type Feed = HostArray | NativeTensor;

let sessions = 0;

/** A function that can be run. */
export class Program {
  constructor(
    private readonly session: Session,
    readonly name: string,
    private readonly inputs: readonly GraphValue[],
    private readonly outputCount: number,
  ) {}

  /**
   * Runs it off the JavaScript thread. `feeds[i]` has the shape and dtype of input i (bfloat16 as Uint16Array bit patterns).
   * Throws `engine.runFailed` or `engine.outOfMemory`.
   */
  async run(feeds: readonly Feed[]): Promise<(Float32Array | Int32Array)[]> {
    const handles: Pointer[] = [];
    try {
      feeds.forEach((feed, i) => handles.push(newHandle(feed, this.inputs[i])));
      const results = await this.session.run(this.name, handles, this.outputCount);
      return results.map(readHandle);
    } finally {
      for (const handle of handles) native().deleteHandle(handle);
    }
  }
}

/** A handle that keeps the tensor's memory alive; the caller deletes it. */
function newHandle(feed: Feed, input: GraphValue): Pointer {
  const tensor = feed instanceof NativeTensor ? feed : newTensor(feed, input);
  try {
    return checked((status) => native().newHandle(tensor.pointer, status));
  } finally {
    if (tensor !== feed) tensor.dispose();
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

export class Session {
  private readonly id = `session${sessions++}`;
  private readonly functions: string[] = [];
  private readonly variables = new Map<string, Variable>();
  private closed = false;
  private running: Promise<unknown> = Promise.resolve();

  /** Adds a program. */
  compile(build: (graph: GraphBuilder) => ProgramDefinition): Program {
    const graph = new GraphBuilder(this.id);
    const { inputs, outputs, effects } = build(graph);
    for (const variable of graph.variables) this.variables.set(variable.name, variable);
    const name = `${this.id}_program${this.functions.length}`;
    const definition = encodeFunction({
      name,
      nodes: graph.nodes,
      inputs: inputs.map(({ reference, dtype }) => ({ name: reference, dtype })),
      outputs: outputs.map((value) => ({ reference: (value as GraphValue).reference, dtype: value.dtype })),
      effects,
    });
    checked((status) => native().addFunction(eagerContext(), definition, definition.length, status));
    this.functions.push(name);
    return new Program(this, name, inputs, outputs.length);
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

  /** Waits for the current run, then frees every variable and function. */
  async close(): Promise<void> {
    await this.running.catch(() => undefined);
    if (this.closed) return;
    const variables = [...this.variables.values()];
    const destroy = this.compile((graph) => ({
      inputs: [],
      outputs: [],
      effects: variables.map((variable) => graph.destroy(variable)),
    }));
    await destroy.run([]);
    this.closed = true;
    for (const name of this.functions)
      checked((status) => native().removeFunction(eagerContext(), name, status));
  }
}

export type { Variable };
