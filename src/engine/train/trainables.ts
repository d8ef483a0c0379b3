/** What is trained: groups of float32 variables with their optimiser state. */
import type { GraphBuilder, Variable } from '../backend/graphBuilder';
import type { Value } from '../backend/ops';
import { splitLora, type ResidentModel } from '../residentModel';

/** One optimiser update: a variable, its moments and its accumulated gradient. */
export interface TrainableGroup {
  variable: Variable;
  m: Variable;
  v: Variable;
  gradient: Variable;
  /** Weight decay applies to matrices, not to norms and biases. */
  isMatrix: boolean;
}

export interface Trainables {
  groups: TrainableGroup[];
  parameters: number;
  /** Leaves to differentiate by, and how their gradients become those of the groups, in group order. */
  leaves(graph: GraphBuilder): Leaves;
}

export interface Leaves {
  /** Stand-ins for model parameters (full fine-tuning). */
  parameters: ReadonlyMap<string, Value>;
  /** Adapter matrices (LoRA). */
  lora: readonly Value[] | null;
  all: readonly Value[];
  collect(gradients: ReadonlyMap<Value, Value>): Value[];
}

function group(variable: Variable, isMatrix: boolean): TrainableGroup {
  const beside = (part: string): Variable => ({ ...variable, name: `${variable.name}#${part}` });
  return { variable, m: beside('m'), v: beside('v'), gradient: beside('gradient'), isMatrix };
}

/** The adapter's matrices as one flat group. */
export function loraTrainables(resident: ResidentModel): Trainables {
  const layout = resident.lora;
  if (!layout) throw new Error('the model has no adapter');
  return {
    groups: [group(layout.variable, true)],
    parameters: layout.total,
    leaves(graph) {
      const matrices = splitLora(graph, layout);
      return {
        parameters: new Map(),
        lora: matrices,
        all: matrices,
        collect: (gradients) => {
          const flat = matrices.map((matrix) => {
            const size = matrix.shape[0] * matrix.shape[1];
            const gradient = gradients.get(matrix);
            return gradient ? graph.reshape(gradient, [size]) : graph.fill([size], 0, 'float32');
          });
          return [graph.concat(flat, 0)];
        },
      };
    },
  };
}

/** Every parameter of the model, a group each. */
export function fullTrainables(resident: ResidentModel): Trainables {
  const variables = [...resident.variables.values()];
  return {
    groups: variables.map((variable) => group(variable, variable.shape.length > 1)),
    parameters: resident.parameters,
    leaves(graph) {
      const parameters = new Map(variables.map((variable) => [variable.name, graph.read(variable)]));
      return {
        parameters,
        lora: null,
        all: [...parameters.values()],
        collect: (gradients) =>
          [...parameters.values()].map(
            (value) => gradients.get(value) ?? graph.fill(value.shape, 0, 'float32'),
          ),
      };
    },
  };
}
