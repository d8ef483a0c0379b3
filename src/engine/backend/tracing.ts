/**
 * A backend whose runs can be traced node by node. The eager interface keeps no times of the nodes inside functions, the older
 * session interface does: programs are the same functions, called from a graph of one node each. Functions are not freed, and
 * starting takes longer, so nothing but profiling runs this way.
 */
import { promisify } from 'node:util';
import type { Backend } from './backend';
import { memoryLimit } from './context';
import { encodeContextConfig, encodeFunction, type NodeDef } from './functionDef';
import { GraphBuilder, type Variable } from './graphBuilder';
import { callNames, encodeCallGraph, encodeTraceOptions, type FunctionCall } from './graphDef';
import type { GraphValue } from './graphOps';
import { libtensorflow } from './libtensorflow';
import { checked, native, throwOnError, type Pointer } from './native';
import { Session, type Feed, type Program, type ProgramDefinition } from './session';
import { decodeRunMetadata, type NodeRun } from './stepStats';
import { readTensor, newTensor, type NativeTensor } from './tensor';

/** One run of a program. */
export interface TracedRun {
  /** The nodes of the program as they were written. */
  nodes: readonly NodeDef[];
  /** What ran of them; null where the run was only timed. */
  trace: NodeRun[] | null;
  /** From the call to its return. */
  milliseconds: number;
}

/** Sessions that note their runs while `note` is set. */
export class Tracing {
  private note: 'nothing' | 'times' | 'nodes' = 'nothing';
  private runs: TracedRun[] = [];
  private readonly sessions: TracedSession[] = [];

  /** Libtensorflow, with sessions of this kind. */
  get backend(): Backend {
    return { ...libtensorflow, openSession: () => this.openSession() };
  }

  openSession(): Session {
    const session = new TracedSession(this);
    this.sessions.push(session);
    return session;
  }

  /** Every variable of the sessions that are open. */
  get variables(): Variable[] {
    return this.sessions.filter(({ closed }) => !closed).flatMap(({ variables }) => [...variables.values()]);
  }

  /** The runs of `work`, with or without what every node of them did. */
  async watch(note: 'times' | 'nodes', work: () => Promise<unknown>): Promise<TracedRun[]> {
    this.runs = [];
    this.note = note;
    try {
      await work();
      return this.runs;
    } finally {
      this.note = 'nothing';
    }
  }

  get wantsNodes(): boolean {
    return this.note === 'nodes';
  }

  noted(run: TracedRun): void {
    if (this.note !== 'nothing') this.runs.push(run);
  }
}

let sessions = 0;

class TracedSession extends Session {
  private readonly id = `traced${sessions++}`;
  private readonly pointer: Pointer = openLibrarySession();
  private readonly functions = new Set<string>();
  private programs = 0;
  private running: Promise<unknown> = Promise.resolve();
  readonly variables = new Map<string, Variable>();
  closed = false;

  constructor(private readonly tracing: Tracing) {
    super();
  }

  compile(build: (graph: GraphBuilder) => ProgramDefinition): Program {
    const graph = new GraphBuilder(this.id);
    const { inputs, outputs, effects } = build(graph);
    for (const variable of graph.variables) this.variables.set(variable.name, variable);
    const name = `${this.id}_program${this.programs++}`;
    const main = encodeFunction({
      name,
      nodes: graph.nodes,
      inputs: inputs.map(({ reference, dtype }) => ({ name: reference, dtype })),
      outputs: outputs.map((value) => ({ reference: (value as GraphValue).reference, dtype: value.dtype })),
      effects,
    });
    const fresh = [...graph.fused].filter(([fused]) => !this.functions.has(fused));
    for (const [fused] of fresh) this.functions.add(fused);
    const call: FunctionCall = {
      function: name,
      inputs: inputs.map(({ dtype }) => dtype),
      outputs: outputs.map(({ dtype }) => dtype),
    };
    const graphDef = encodeCallGraph(call, [...fresh.map(([, definition]) => definition), main]);
    checked((status) => native().extendGraph(this.pointer, graphDef, graphDef.length, status));
    return {
      run: (feeds) => this.inTurn(() => this.run(call, feeds, inputs, graph.nodes)),
      // A graph never loses a node.
      dispose: () => undefined,
    };
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.running.catch(() => undefined).then(work);
    this.running = result;
    return result;
  }

  private async run(
    call: FunctionCall,
    feeds: readonly Feed[],
    inputs: readonly GraphValue[],
    nodes: readonly NodeDef[],
  ): Promise<(Float32Array | Int32Array)[]> {
    if (this.closed) throw new Error('the session is closed');
    const api = native();
    const tensors = feeds.map((feed, i) => newTensor(feed, inputs[i]));
    const traced = this.tracing.wantsNodes;
    const options = encodeTraceOptions();
    const runOptions = traced ? api.newBufferFrom(options, options.length) : null;
    const metadata = traced ? api.newBuffer() : null;
    const began = performance.now();
    let results: Pointer[] = [];
    try {
      results = await this.call(call, tensors, runOptions, metadata);
      const milliseconds = performance.now() - began;
      const trace = traced ? withinCall(decodeRunMetadata(bufferContents(metadata)), call) : null;
      this.tracing.noted({ nodes, trace, milliseconds });
      return results.map(readTensor);
    } finally {
      for (const result of results) api.deleteTensor(result);
      for (const tensor of tensors) tensor.dispose();
      if (traced) for (const buffer of [runOptions, metadata]) api.deleteBuffer(buffer);
    }
  }

  private async call(
    call: FunctionCall,
    tensors: readonly NativeTensor[],
    runOptions: Pointer,
    metadata: Pointer,
  ): Promise<Pointer[]> {
    const api = native();
    const { feeds, fetches, node } = callNames(call);
    const targets = fetches.length > 0 ? [] : [node];
    const pointers = tensors.map(({ pointer }) => pointer);
    const results = new Array<Pointer>(fetches.length).fill(null);
    const status = api.newStatus();
    try {
      const run = promisify<unknown[], unknown>(api.runSession.async) as (
        ...args: unknown[]
      ) => Promise<unknown>;
      const feeding = [feeds.map((name) => `${name}:0`), pointers, feeds.length];
      const fetching = [fetches, results, fetches.length, targets, targets.length];
      await run(this.pointer, runOptions, ...feeding, ...fetching, metadata, status);
      throwOnError(status);
      return results;
    } finally {
      api.deleteStatus(status);
    }
  }

  /** Its variables go with it. */
  async close(): Promise<void> {
    await this.running.catch(() => undefined);
    if (this.closed) return;
    this.closed = true;
    const api = native();
    checked((status) => api.closeSession(this.pointer, status));
    checked((status) => api.deleteSession(this.pointer, status));
  }
}

function openLibrarySession(): Pointer {
  const api = native();
  const options = api.newSessionOptions();
  const config = encodeContextConfig(memoryLimit());
  try {
    checked((status) => api.setSessionConfig(options, config, config.length, status));
    return checked((status) => api.newSession(options, status));
  } finally {
    api.deleteSessionOptions(options);
  }
}

/** Without the call itself. Where the library has put the body of a function in its place, names of nodes begin with that of the call. */
function withinCall(runs: NodeRun[], call: FunctionCall): NodeRun[] {
  const { node } = callNames(call);
  const prefix = `${node}/`;
  return runs
    .filter((run) => run.node !== node)
    .map((run) => (run.node.startsWith(prefix) ? { ...run, node: run.node.slice(prefix.length) } : run));
}

/** A copy of what is in a `TF_Buffer`: { const void *data; size_t length; ... }. */
export function bufferContents(buffer: Pointer): Uint8Array {
  const { memcpy } = native();
  const head = new BigUint64Array(2);
  memcpy(head, buffer, head.byteLength);
  const [data, length] = head;
  const contents = new Uint8Array(Number(length));
  if (contents.length > 0) memcpy(contents, data, contents.length);
  return contents;
}
