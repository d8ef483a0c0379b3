/**
 * A session of libtensorflow: one growing graph and the variables in it. Programs are added as they are needed (a new sequence
 * length, say) and share the variables by name.
 */
import { promisify } from 'node:util';
import { encodeGraphDef, encodeSessionConfig } from './graphDef';
import { GraphBuilder, type Effect, type Variable } from './graphBuilder';
import type { GraphValue } from './graphOps';
import { checked, native, readDevices, throwOnError, type Pointer, type TfOutput } from './native';
import { NativeTensor, newTensor, readTensor, type HostArray } from './tensor';
import type { Value } from './ops';

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

/** `TF_SessionRun` on a thread of koffi's pool, as a promise. */
function runAsync(api: ReturnType<typeof native>): (...args: unknown[]) => Promise<unknown> {
  return promisify<unknown[], unknown>(api.run.async) as (...args: unknown[]) => Promise<unknown>;
}

export type Feed = HostArray | NativeTensor;

/** A part of the graph that can be run. */
export class Program {
  constructor(
    private readonly session: Session,
    private readonly inputs: { output: TfOutput; value: GraphValue }[],
    private readonly outputs: TfOutput[],
    private readonly targets: Pointer[],
  ) {}

  /**
   * Runs it off the JavaScript thread. `feeds[i]` has the shape and dtype of input i (bfloat16 as Uint16Array bit patterns).
   * Throws `engine.runFailed` or `engine.outOfMemory`.
   */
  async run(feeds: readonly Feed[]): Promise<(Float32Array | Int32Array)[]> {
    const created: NativeTensor[] = [];
    const tensors = feeds.map((feed, i) => {
      if (feed instanceof NativeTensor) return feed.pointer;
      const tensor = newTensor(feed, this.inputs[i].value);
      created.push(tensor);
      return tensor.pointer;
    });
    try {
      const results = await this.session.run(
        this.inputs.map((input) => input.output),
        tensors,
        this.outputs,
        this.targets,
      );
      return results.map((result) => {
        const array = readTensor(result);
        native().deleteTensor(result);
        return array;
      });
    } finally {
      for (const tensor of created) tensor.dispose();
    }
  }
}

export class Session {
  private readonly graph: Pointer;
  private readonly session: Pointer;
  private programs = 0;
  private closed = false;
  private running: Promise<unknown> = Promise.resolve();

  /** `threads` 0: as many as the library chooses. */
  constructor(threads = 0) {
    const api = native();
    this.graph = api.newGraph();
    const options = api.newSessionOptions();
    const config = encodeSessionConfig(threads);
    checked((status) => api.setConfig(options, config, config.length, status));
    this.session = checked((status) => api.newSession(this.graph, options, status));
    api.deleteSessionOptions(options);
  }

  /** Adds a program to the graph. */
  compile(build: (graph: GraphBuilder) => ProgramDefinition): Program {
    return this.compileAll((graph) => {
      const { inputs, ...run } = build(graph);
      return { inputs, runs: { run } };
    }).run;
  }

  /** Adds programs that share their inputs and nodes; each run computes only what it needs. */
  compileAll<K extends string>(
    build: (graph: GraphBuilder) => { inputs: readonly GraphValue[]; runs: Record<K, RunDefinition> },
  ): Record<K, Program> {
    const builder = new GraphBuilder();
    const { inputs, runs } = build(builder);
    const prefix = `p${this.programs++}`;
    this.importGraph(encodeGraphDef(builder.nodes), prefix);
    const output = (value: Value): TfOutput => {
      const { node, index } = value as GraphValue;
      return { oper: this.operation(`${prefix}/${node}`), index };
    };
    const feeds = inputs.map((value) => ({ value, output: output(value) }));
    const programs = Object.entries<RunDefinition>(runs).map(([name, { outputs, effects }]) => {
      const targets = effects.map((effect) => this.operation(`${prefix}/${effect}`));
      return [name, new Program(this, feeds, outputs.map(output), targets)];
    });
    return Object.fromEntries(programs) as Record<K, Program>;
  }

  private importGraph(definition: Uint8Array, prefix: string): void {
    const api = native();
    const buffer = api.newBuffer(definition, definition.length);
    const options = api.newImportOptions();
    try {
      api.setImportPrefix(options, prefix);
      checked((status) => api.importGraph(this.graph, buffer, options, status));
    } finally {
      api.deleteImportOptions(options);
      api.deleteBuffer(buffer);
    }
  }

  private operation(name: string): Pointer {
    const operation = native().operationByName(this.graph, name);
    if (!operation) throw new Error(`the graph has no node ${name}`);
    return operation;
  }

  /** Runs operations one call after the other; the caller owns the tensors on both sides. */
  async run(
    inputs: TfOutput[],
    tensors: Pointer[],
    outputs: TfOutput[],
    targets: Pointer[],
  ): Promise<Pointer[]> {
    const previous = this.running;
    const call = previous.catch(() => undefined).then(() => this.runNow(inputs, tensors, outputs, targets));
    this.running = call;
    return call;
  }

  private async runNow(
    inputs: TfOutput[],
    tensors: Pointer[],
    outputs: TfOutput[],
    targets: Pointer[],
  ): Promise<Pointer[]> {
    if (this.closed) throw new Error('the session is closed');
    const api = native();
    const status = api.newStatus();
    const results = new Array<Pointer>(outputs.length).fill(null);
    try {
      await runAsync(api)(
        this.session,
        null,
        inputs,
        tensors,
        inputs.length,
        outputs,
        results,
        outputs.length,
        targets,
        targets.length,
        null,
        status,
      );
      throwOnError(status);
      return results;
    } finally {
      api.deleteStatus(status);
    }
  }

  /** Type and name of every device, CPU first. */
  devices(): { type: string; name: string }[] {
    return readDevices(checked((status) => native().listDevices(this.session, status)));
  }

  /** Ends the session after the current run and frees the graph and every variable. */
  async close(): Promise<void> {
    await this.running.catch(() => undefined);
    if (this.closed) return;
    this.closed = true;
    const api = native();
    checked((status) => api.closeSession(this.session, status));
    checked((status) => api.deleteSession(this.session, status));
    api.deleteGraph(this.graph);
  }
}

export type { Variable };
