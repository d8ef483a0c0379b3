/** A model whose weights live in the library's variables, with or without an adapter on it. */
import { openAdapter, checkAdapter, loraScale, loraTensorName } from '../checkpoint/adapter';
import { openCheckpoint } from '../checkpoint/checkpoint';
import { countLoraParameters, loraShapes, unknownTargets, type LoraShape } from '../checkpoint/lora';
import { checkModel } from '../checkpoint/modelDoctor';
import { elements, modelTensors } from '../checkpoint/modelTensors';
import type { LoraConfig, TensorEntry, TensorReader } from '../checkpoint/types';
import { GlmError } from '../protocol/errors';
import type { GraphBuilder, Variable } from './backend/graphBuilder';
import type { DType, Value } from './backend/ops';
import { Session, type Program, type ProgramDefinition } from './backend/session';
import { NativeTensor } from './backend/tensor';
import { createModel } from './glm/registry';
import type { DecoderModel } from './glm/model';
import type { ComputeDType } from './types';

/** Bytes read from a file at a time: big enough for the disk, small beside any model. */
const PIECE_BYTES = 16 * 1024 * 1024;
/** Bytes (as float32) of the variables that are moved together. */
const GROUP_BYTES = 256 * 1024 * 1024;

const STORED: Partial<Record<string, DType>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** All matrices of an adapter in one float32 variable: one optimiser update instead of hundreds. */
export interface LoraLayout {
  config: LoraConfig;
  scale: number;
  shapes: readonly LoraShape[];
  total: number;
  variable: Variable;
}

export interface ResidentOptions {
  directory: string;
  dtype: ComputeDType;
  /** Keep matrices in float32 whatever the compute dtype is: they are trained. */
  trainable: boolean;
}

export class ResidentModel {
  readonly session: Session;
  lora: LoraLayout | null = null;
  private readonly programs = new Map<string, Program>();

  private constructor(
    readonly directory: string,
    readonly model: DecoderModel,
    readonly dtype: ComputeDType,
    /** Parameters by checkpoint name. */
    readonly variables: ReadonlyMap<string, Variable>,
  ) {
    this.session = new Session();
  }

  /**
   * Loads a checkpoint directory. Every tensor is checked against the configuration first; then it is streamed into the
   * library's memory without a second copy. Throws `checkpoint.*`.
   */
  static async load(options: ResidentOptions): Promise<ResidentModel> {
    const checkpoint = openCheckpoint(options.directory);
    try {
      checkModel(options.directory, checkpoint.config, checkpoint.reader);
      const model = createModel(checkpoint.config);
      const variables = modelTensors(checkpoint.config).map(({ name, shape }): [string, Variable] => {
        const wide = options.trainable || model.isNorm(name);
        return [name, { name, shape, dtype: wide ? 'float32' : options.dtype }];
      });
      const resident = new ResidentModel(options.directory, model, options.dtype, new Map(variables));
      await resident.readWeights(checkpoint.reader);
      return resident;
    } finally {
      checkpoint.reader.close();
    }
  }

  /** Fills the variables of the model from a reader that has all of them. */
  async readWeights(reader: TensorReader): Promise<void> {
    for (const group of inGroups([...this.variables.values()])) await this.assignFrom(reader, group);
  }

  private async assignFrom(reader: TensorReader, variables: readonly Variable[]): Promise<void> {
    const tensors: NativeTensor[] = [];
    const dtypes: DType[] = [];
    try {
      for (const variable of variables) {
        const entry = reader.tensors.get(variable.name);
        const stored = entry && STORED[entry.dtype];
        if (!entry || !stored) throw new Error(`${variable.name} was not checked`);
        const tensor = NativeTensor.allocate(variable.shape, stored);
        tensors.push(tensor);
        dtypes.push(stored);
        copyTensor(reader, entry, tensor);
      }
      const key = `load ${variables.map(({ name }, i) => `${name}:${dtypes[i]}`).join()}`;
      await this.once(key, (graph) => assignment(graph, variables, dtypes)).run(tensors);
    } finally {
      for (const tensor of tensors) tensor.dispose();
    }
  }

  /** Puts an adapter with the given values (the matrices in the order of `shapes`, A before B) on the model. */
  async setLora(config: LoraConfig, values?: Float32Array): Promise<LoraLayout> {
    const unknown = unknownTargets(this.model.config, config.target_modules);
    if (unknown.length > 0)
      throw new GlmError('checkpoint.unknownTarget', { path: this.directory, target: unknown.join(', ') });
    const shapes = loraShapes(this.model.config, config.r, config.target_modules);
    const total = countLoraParameters(shapes);
    const variable: Variable = { name: 'lora', shape: [total], dtype: 'float32' };
    this.lora = { config, scale: loraScale(config), shapes, total, variable };
    await this.write(variable, values ?? new Float32Array(total));
    return this.lora;
  }

  /** Reads a PEFT adapter directory and puts it on the model. Throws `checkpoint.*` where it does not fit. */
  async loadAdapter(directory: string): Promise<LoraLayout> {
    const adapter = openAdapter(directory);
    try {
      const shapes = checkAdapter(adapter, this.model.config);
      const parts = shapes.flatMap(({ module }) => [
        adapter.reader.readFloat32(loraTensorName(module, 'A')),
        adapter.reader.readFloat32(loraTensorName(module, 'B')),
      ]);
      return await this.setLora(adapter.config, concatenate(parts));
    } finally {
      adapter.reader.close();
    }
  }

  /** Assigns a variable from float32 values. */
  async write(variable: Variable, values: Float32Array): Promise<void> {
    await this.writeAll([variable], () => values);
  }

  /** Assigns variables from float32 values, which are asked for a group at a time. */
  async writeAll(
    variables: readonly Variable[],
    values: (variable: Variable) => Float32Array,
  ): Promise<void> {
    for (const group of inGroups(variables)) {
      const dtypes = group.map((): DType => 'float32');
      const program = this.once(`write ${names(group)}`, (graph) => assignment(graph, group, dtypes));
      await program.run(group.map(values));
    }
  }

  /** The values of a variable, widened to float32. */
  async read(variable: Variable): Promise<Float32Array> {
    const [[, values]] = await this.readAll([variable]);
    return values;
  }

  /** The values of variables, widened to float32. */
  async readAll(variables: readonly Variable[]): Promise<[Variable, Float32Array][]> {
    const result: [Variable, Float32Array][] = [];
    for (const group of inGroups(variables)) {
      const program = this.once(`read ${names(group)}`, (graph) => ({
        inputs: [],
        outputs: group.map((variable) => graph.cast(graph.read(variable), 'float32')),
        effects: [],
      }));
      const values = (await program.run([])) as Float32Array[];
      group.forEach((variable, i) => result.push([variable, values[i]]));
    }
    return result;
  }

  /** What is run again (writing and reading the same variables) is compiled once. */
  private once(key: string, build: (graph: GraphBuilder) => ProgramDefinition): Program {
    let program = this.programs.get(key);
    if (!program) {
      program = this.session.compile(build);
      this.programs.set(key, program);
    }
    return program;
  }

  get parameters(): number {
    return [...this.variables.values()].reduce((sum, { shape }) => sum + elements(shape), 0);
  }

  async close(): Promise<void> {
    await this.session.close();
  }
}

/**
 * Splits variables into groups that are moved in one run. A run of its own for each would compile a function for each; one run
 * for all would hold a second copy of everything.
 */
function inGroups(variables: readonly Variable[]): Variable[][] {
  const groups: Variable[][] = [];
  let bytes = Infinity;
  for (const variable of variables) {
    const size = elements(variable.shape) * 4;
    if (bytes + size > GROUP_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups[groups.length - 1].push(variable);
    bytes += size;
  }
  return groups;
}

function names(variables: readonly Variable[]): string {
  return variables.map(({ name }) => name).join();
}

function assignment(
  graph: GraphBuilder,
  variables: readonly Variable[],
  dtypes: readonly DType[],
): ProgramDefinition {
  const inputs = variables.map(({ shape }, i) => graph.placeholder(shape, dtypes[i]));
  const effects = variables.map((variable, i) =>
    graph.assign(variable, graph.cast(inputs[i], variable.dtype)),
  );
  return { inputs, outputs: [], effects };
}

/** Streams a tensor of a file into the library's memory. */
function copyTensor(reader: TensorReader, { name, byteLength }: TensorEntry, target: NativeTensor): void {
  const piece = new Uint8Array(Math.min(PIECE_BYTES, byteLength));
  for (let offset = 0; offset < byteLength; offset += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, byteLength - offset));
    reader.readSlice(name, offset, part);
    target.write(part, offset);
  }
}

/** The matrices of an adapter inside its flat variable, float32, in the order of `layout.shapes`, A before B. */
export function splitLora(graph: GraphBuilder, layout: LoraLayout): Value[] {
  const shapes = layout.shapes.flatMap(({ a, b }) => [a, b]);
  const parts = graph.split(graph.read(layout.variable), shapes.map(elements), 0);
  return parts.map((part, i) => graph.reshape(part, shapes[i]));
}

export function concatenate(parts: readonly Float32Array[]): Float32Array {
  const result = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
