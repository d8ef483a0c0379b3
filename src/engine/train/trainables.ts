/** What is trained: groups of float32 variables with their optimiser state. */
import { elements } from '../../checkpoint/modelTensors';
import { readParts, type FlatPart } from '../adapters/flat';
import type { AdapterValues } from '../adapters/residentAdapter';
import type { GraphBuilder, Variable } from '../backend/graphBuilder';
import type { Value } from '../backend/ops';
import type { ResidentModel } from '../residentModel';

/** One optimiser update: a variable, its moments and its accumulated gradient. */
export interface TrainableGroup {
  variable: Variable;
  m: Variable;
  v: Variable;
  gradient: Variable;
  /** The tensors that lie in the variable one after the other. */
  parts: readonly FlatPart[];
  /** Weight decay applies to matrices, not to norms and biases. */
  isMatrix: boolean;
  /** Factor of the run's learning rate. */
  lrFactor: number;
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
  /** The adapter's tensors. */
  adapter: AdapterValues | null;
  all: readonly Value[];
  collect(gradients: ReadonlyMap<Value, Value>): Value[];
}

function group(
  variable: Variable,
  options: { parts: readonly FlatPart[]; isMatrix: boolean; lrFactor: number },
): TrainableGroup {
  const beside = (part: string): Variable => ({ ...variable, name: `${variable.name}#${part}` });
  return { variable, m: beside('m'), v: beside('v'), gradient: beside('gradient'), ...options };
}

/** What a run trains: the adapter if there is one, else every parameter. */
export function trainablesOf(resident: ResidentModel): Trainables {
  return resident.adapter ? adapterTrainables(resident) : fullTrainables(resident);
}

/** The adapter's flat groups. */
function adapterTrainables({ adapter }: ResidentModel): Trainables {
  if (!adapter) throw new Error('the model has no adapter');
  const groups = adapter.groups.map((flat) => group(flat.variable, flat));
  return {
    groups,
    parameters: groups.reduce((sum, { variable }) => sum + elements(variable.shape), 0),
    leaves(graph) {
      const parts = adapter.groups.map((flat) => readParts(graph, flat));
      const tensors = new Map(parts.flatMap((values) => [...values]));
      return {
        parameters: new Map(),
        adapter: tensors,
        all: [...tensors.values()],
        collect: (gradients) =>
          parts.map((values) => {
            const flat = [...values.values()].map((value) => {
              const size = elements(value.shape);
              const gradient = gradients.get(value);
              return gradient ? graph.reshape(gradient, [size]) : graph.fill([size], 0, 'float32');
            });
            return graph.concat(flat, 0);
          }),
      };
    },
  };
}

/** Every parameter of the model, a group each. */
function fullTrainables(resident: ResidentModel): Trainables {
  const variables = [...resident.variables.values()];
  return {
    groups: variables.map((variable) =>
      group(variable, { parts: [variable], isMatrix: variable.shape.length > 1, lrFactor: 1 }),
    ),
    parameters: resident.parameters,
    leaves(graph) {
      const parameters = new Map(variables.map((variable) => [variable.name, graph.read(variable)]));
      return {
        parameters,
        adapter: null,
        all: [...parameters.values()],
        collect: (gradients) =>
          [...parameters.values()].map(
            (value) => gradients.get(value) ?? graph.fill(value.shape, 0, 'float32'),
          ),
      };
    },
  };
}
