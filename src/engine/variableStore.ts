/** Values of a session's variables, moved to and from the host in groups. */
import { elements } from '../checkpoint/modelTensors';
import { backend } from './backend/backend';
import type { GraphBuilder, Variable } from './backend/graphBuilder';
import type { DType } from './backend/ops';
import type { Feed, Program, ProgramDefinition } from './backend/session';

/** Bytes (as float32) of the variables that are moved together. */
const GROUP_BYTES = 256 * 1024 * 1024;

export class VariableStore {
  readonly session = backend().openSession();
  private readonly programs = new Map<string, Program>();

  /** Assigns a variable from float32 values. */
  async write(variable: Variable, values: Float32Array): Promise<void> {
    await this.writeAll([variable], () => values);
  }

  /** Assigns variables from float32 values, which are asked for a group at a time. */
  async writeAll(
    variables: readonly Variable[],
    values: (variable: Variable) => Float32Array,
  ): Promise<void> {
    for (const group of inGroups(variables))
      await this.assign(
        group,
        group.map(() => 'float32'),
        group.map(values),
      );
  }

  /** Assigns variables from tensors of the given dtypes, all in one run. */
  async assign(
    variables: readonly Variable[],
    dtypes: readonly DType[],
    feeds: readonly Feed[],
  ): Promise<void> {
    const key = `assign ${variables.map(({ name }, i) => `${name}:${dtypes[i]}`).join()}`;
    await this.once(key, (graph) => assignment(graph, variables, dtypes)).run(feeds);
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
      const program = this.once(`read ${group.map(({ name }) => name).join()}`, (graph) => ({
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

  async close(): Promise<void> {
    await this.session.close();
  }
}

/**
 * Splits variables into groups that are moved in one run. A run of its own for each would compile a function for each; one run
 * for all would hold a second copy of everything.
 */
export function inGroups(variables: readonly Variable[]): Variable[][] {
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
