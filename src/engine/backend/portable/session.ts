/** Programs that run node by node as tfjs operations, and their variables. */
import type { Tensor } from '@tensorflow/tfjs';
import { GlmError, isGlmError } from '../../../protocol/errors';
import type { NodeDef } from '../functionDef';
import { GraphBuilder } from '../graphBuilder';
import type { GraphValue } from '../graphOps';
import type { Ops, Value } from '../ops';
import { Session, type Feed, type Program, type ProgramDefinition } from '../session';
import type { Tfjs } from '../tfjs';
import { feedValues } from './feeds';
import { giveWay } from './giveWay';
import { attrOf, KEPT_AS, type Call, type Kernel } from './kernels';
import { dtypeOf, scheduleOf, type Schedule, type Step } from './schedule';
import { VariableTensors } from './variables';

/** tfjs with what it lacks: kernels by operation, and what its errors mean. */
export interface PortableRuntime {
  tf: typeof Tfjs;
  kernels: ReadonlyMap<string, Kernel>;
  /** An error of the runtime as one of ours. */
  toGlmError(error: unknown): GlmError;
}

/** What would be fused is written where it stands: nothing here makes one kernel of it. */
class PlainBuilder extends GraphBuilder {
  override fuse(
    _name: string,
    inputs: readonly Value[],
    f: (ops: Ops, inputs: readonly Value[]) => Value[],
  ): Value[] {
    return f(this, inputs);
  }
}

export class PortableSession extends Session {
  readonly variables: VariableTensors;
  private readonly programs = new Set<PortableProgram>();
  private running: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(readonly runtime: PortableRuntime) {
    super();
    this.variables = new VariableTensors(runtime.tf);
  }

  compile(build: (graph: GraphBuilder) => ProgramDefinition): Program {
    const graph = new PlainBuilder('');
    const { inputs, outputs, effects } = build(graph);
    const { kernels } = this.runtime;
    const schedule = scheduleOf(graph.nodes, inputs, outputs, effects, kernels);
    const program = new PortableProgram(this, inputs, schedule);
    this.programs.add(program);
    return program;
  }

  /** One run after the other. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const call = this.running
      .catch(() => undefined)
      .then(() => {
        if (this.closed) throw new Error('the session is closed');
        return work();
      });
    this.running = call;
    return call;
  }

  forget(program: PortableProgram): void {
    this.programs.delete(program);
  }

  async close(): Promise<void> {
    await this.running.catch(() => undefined);
    this.closed = true;
    for (const program of [...this.programs]) program.dispose();
    this.variables.clear();
  }
}

class PortableProgram implements Program {
  /** Tensors of the constants by slot, made at the first run. */
  private constants: Map<number, Tensor> | null = null;
  private disposed = false;

  constructor(
    private readonly session: PortableSession,
    private readonly inputs: readonly GraphValue[],
    private readonly schedule: Schedule,
  ) {}

  run(feeds: readonly Feed[]): Promise<(Float32Array | Int32Array)[]> {
    return this.session.inTurn(async () => {
      if (this.disposed) throw new GlmError('engine.runFailed', { detail: 'the program was disposed of' });
      const frame: (Tensor | undefined)[] = new Array<undefined>(this.schedule.slots);
      try {
        this.begin(frame, feeds);
        for (const step of this.schedule.steps) {
          const turn = giveWay();
          if (turn) await turn;
          this.execute(step, frame);
        }
        return this.schedule.outputs.map((slot) => valuesOf(frame[slot]!));
      } catch (error) {
        throw isGlmError(error) ? error : this.session.runtime.toGlmError(error);
      } finally {
        const constant = new Set(this.constants?.values());
        for (const tensor of frame) if (tensor && !constant.has(tensor)) tensor.dispose();
      }
    });
  }

  /** Puts constants and arguments into their slots. */
  private begin(frame: (Tensor | undefined)[], feeds: readonly Feed[]): void {
    const { tf } = this.session.runtime;
    this.constants ??= new Map(
      this.schedule.constants.map(({ slot, shape, dtype, values }) => [
        slot,
        tf.tensor(values, [...shape], KEPT_AS[dtype]),
      ]),
    );
    for (const [slot, tensor] of this.constants) frame[slot] = tensor;
    this.inputs.forEach(({ shape, dtype }, i) => {
      const slot = this.schedule.inputs[i];
      if (slot === null) return;
      frame[slot] = tf.tensor(feedValues(feeds[i], shape, dtype), [...shape], KEPT_AS[dtype]);
    });
  }

  private execute(step: Step, frame: (Tensor | undefined)[]): void {
    const { tf } = this.session.runtime;
    const call = new StepCall(step, frame, this.session.variables);
    const results = tf.tidy(() => {
      const result = step.kernel.run(call) ?? [];
      return Array.isArray(result) ? result : [result];
    });
    results.forEach((tensor, i) => {
      const slot = step.results[i];
      if (slot === null) tensor.dispose();
      else frame[slot] = tensor;
    });
    for (const slot of step.release) {
      frame[slot]?.dispose();
      frame[slot] = undefined;
    }
  }

  dispose(): void {
    this.disposed = true;
    for (const tensor of this.constants?.values() ?? []) tensor.dispose();
    this.constants = null;
    this.session.forget(this);
  }
}

/** A step with the values of a run. */
class StepCall implements Call {
  private readonly node: NodeDef;

  constructor(
    private readonly step: Step,
    private readonly frame: readonly (Tensor | undefined)[],
    readonly variables: VariableTensors,
  ) {
    this.node = step.node;
  }

  get inputs(): number {
    return this.step.operands.length;
  }

  get result(): Value {
    return this.node.results[0];
  }

  tensor(i: number): Tensor {
    const operand = this.step.operands[i];
    const tensor = operand.kind === 'value' ? this.frame[operand.slot] : undefined;
    if (!tensor) throw new Error(`${this.node.name} has no tensor ${i}`);
    return tensor;
  }

  numbers(i: number): number[] {
    const operand = this.step.operands[i];
    if (operand.kind !== 'numbers') throw new Error(`${this.node.name} has no numbers ${i}`);
    return operand.numbers;
  }

  variable(i: number): string {
    const operand = this.step.operands[i];
    if (operand.kind !== 'variable') throw new Error(`${this.node.name} has no variable ${i}`);
    return operand.name;
  }

  flag(attr: string): boolean {
    return attrOf(this.node.attrs, attr, 'bool').value;
  }

  dtype(attr: string): ReturnType<typeof dtypeOf> {
    return dtypeOf(attrOf(this.node.attrs, attr, 'type').value);
  }
}

/** A copy of a tensor's values; booleans become 0 and 1. */
function valuesOf(tensor: Tensor): Float32Array | Int32Array {
  const values = tensor.dataSync();
  return values instanceof Uint8Array ? Int32Array.from(values) : values;
}
