/** Keys and values of earlier tokens in variables of the library, one pair a layer. */
import type { Effect, GraphBuilder, Variable } from '../backend/graphBuilder';
import type { Value } from '../backend/ops';
import type { KeyValueStore } from '../decoderGraph';
import type { ResidentModel } from '../residentModel';

export class KeyValueCache {
  private readonly layers: { keys: Variable; values: Variable }[];

  /** Room for `capacity` tokens in each of `batch` rows. */
  constructor(
    private readonly resident: ResidentModel,
    readonly batch: number,
    readonly capacity: number,
  ) {
    const { model, dtype } = resident;
    const shape = [batch * model.groups * capacity, model.headDim];
    const variable = (layer: number, part: string): Variable => ({
      name: `cache.${batch}x${capacity}.${layer}.${part}`,
      shape,
      dtype,
    });
    this.layers = Array.from({ length: model.layers }, (_, layer) => ({
      keys: variable(layer, 'keys'),
      values: variable(layer, 'values'),
    }));
  }

  /** Makes the variables; the cache is empty until something is written. */
  async initialise(): Promise<void> {
    await this.onEach((graph, variable) =>
      graph.assign(variable, graph.fill(variable.shape, 0, variable.dtype)),
    );
  }

  /** Frees the variables. */
  async dispose(): Promise<void> {
    await this.onEach((graph, variable) => graph.destroy(variable));
  }

  private async onEach(effect: (graph: GraphBuilder, variable: Variable) => Effect): Promise<void> {
    const variables = this.layers.flatMap(({ keys, values }) => [keys, values]);
    await this.resident.session.runOnce((graph) => ({
      inputs: [],
      outputs: [],
      effects: variables.map((variable) => effect(graph, variable)),
    }));
  }

  /** The cache as a model's forward pass sees it; slots int32 [b, t] say where the new tokens go. */
  store(graph: GraphBuilder, slots: Value): KeyValueStore {
    const { groups, headDim } = this.resident.model;
    const [batch, length] = slots.shape;
    const starts = Int32Array.from({ length: batch * groups }, (_, i) => i * this.capacity);
    const rows = graph.reshape(
      graph.add(
        graph.constant(starts, [batch, groups, 1], 'int32'),
        graph.reshape(slots, [batch, 1, length]),
      ),
      [batch * groups * length],
    );
    const update = (variable: Variable, value: Value): Value => {
      const flat = graph.reshape(value, [batch * groups * length, headDim]);
      const written: Effect = graph.scatterRows(variable, rows, flat);
      return graph.reshape(graph.read(variable, [written]), [batch, groups, this.capacity, headDim]);
    };
    return {
      extend: (layer, keys, values) => ({
        keys: update(this.layers[layer].keys, keys),
        values: update(this.layers[layer].values, values),
      }),
    };
  }
}
