/** What is trained: groups of float32 variables with their optimiser state. */
import { elements } from '../../checkpoint/modelTensors';
import { readParts, type FlatGroup } from '../adapters/flat';
import type { AdapterValues, ResidentAdapter } from '../adapters/residentAdapter';
import type { GraphBuilder, Variable } from '../backend/graphBuilder';
import type { Value } from '../backend/ops';
import type { ResidentModel } from '../residentModel';
import type { Optimiser } from './optimisers';

/** One optimiser update: a variable, the optimiser's state for it, and its accumulated gradient. */
export interface TrainableGroup extends FlatGroup {
  state: readonly Variable[];
  gradient: Variable;
}

export interface Trainables {
  optimiser: Optimiser;
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

function trainable(group: FlatGroup, optimiser: Optimiser): TrainableGroup {
  const gradient = { ...group.variable, name: `${group.variable.name}#gradient` };
  return { ...group, state: optimiser.state(group), gradient };
}

/** What a run trains: the adapter if there is one, else every parameter. */
export function trainablesOf(resident: ResidentModel, optimiser: Optimiser): Trainables {
  return resident.adapter
    ? adapterTrainables(resident.adapter, optimiser)
    : fullTrainables(resident, optimiser);
}

/** The adapter's flat groups. */
function adapterTrainables(adapter: ResidentAdapter, optimiser: Optimiser): Trainables {
  const groups = adapter.groups.map((group) => trainable(group, optimiser));
  return {
    optimiser,
    groups,
    parameters: groups.reduce((sum, { variable }) => sum + elements(variable.shape), 0),
    leaves(graph) {
      const parts = adapter.groups.map((flat) => readParts(graph, flat));
      const tensors = new Map(parts.flatMap((values) => [...values]));
      const frozen = adapter.frozen.flatMap((flat) => [...readParts(graph, flat)]);
      return {
        parameters: new Map(),
        adapter: new Map([...tensors, ...frozen]),
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
function fullTrainables(resident: ResidentModel, optimiser: Optimiser): Trainables {
  const variables = [...resident.variables.values()];
  return {
    optimiser,
    groups: variables.map((variable) =>
      trainable({ variable, parts: [variable], isMatrix: variable.shape.length > 1, lrFactor: 1 }, optimiser),
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
