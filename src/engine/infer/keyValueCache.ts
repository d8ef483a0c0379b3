/** Keys and values of earlier tokens in variables of the library, one pair a layer. */
import type { Effect, GraphBuilder, Variable } from '../backend/graphBuilder';
import type { Ops, Value } from '../backend/ops';
import type { KeyValueStore } from '../decoderGraph';
import { attendHeads } from '../nn/attention';
import type { ResidentModel } from '../residentModel';
import { attendPast } from './pastAttention';

/** Keys and values of a layer, [b, groups, tokens, d] each. */
export interface KeyValues {
  keys: Value;
  values: Value;
}

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

  /** Rows of the variables that slots int32 [b, t] stand for: [b·groups·t]. */
  rows(graph: GraphBuilder, slots: Value): Value {
    const { groups } = this.resident.model;
    const [batch, length] = slots.shape;
    const starts = Int32Array.from({ length: batch * groups }, (_, i) => i * this.capacity);
    return graph.reshape(
      graph.add(
        graph.constant(starts, [batch, groups, 1], 'int32'),
        graph.reshape(slots, [batch, 1, length]),
      ),
      [batch * groups * length],
    );
  }

  /** Stores keys and values of a layer in the rows that `rows` gave. */
  write(graph: GraphBuilder, layer: number, rows: Value, { keys, values }: KeyValues): Effect[] {
    const variables = this.layers[layer];
    const flat = (value: Value): Value => graph.reshape(value, [rows.shape[0], value.shape[3]]);
    return [
      graph.scatterRows(variables.keys, rows, flat(keys)),
      graph.scatterRows(variables.values, rows, flat(values)),
    ];
  }

  /** The first `count` slots of a layer after the given effects. */
  read(graph: GraphBuilder, layer: number, count: number, after: readonly Effect[]): KeyValues {
    const { groups, headDim } = this.resident.model;
    const { batch, capacity } = this;
    const filled = (variable: Variable): Value => {
      const all = graph.reshape(graph.read(variable, after), [batch, groups, capacity, headDim]);
      return count === capacity ? all : graph.slice(all, [0, 0, 0, 0], [batch, groups, count, headDim]);
    };
    const { keys, values } = this.layers[layer];
    return { keys: filled(keys), values: filled(values) };
  }

  /** For pieces of a prompt: what is new is stored first and then seen like all the rest. Slots int32 [b, t] say where it goes. */
  store(graph: GraphBuilder, slots: Value, count: number): KeyValueStore {
    const rows = this.rows(graph, slots);
    return {
      attend: (ops, layer, q, k, v, mask) => {
        const written = this.write(graph, layer, rows, { keys: k, values: v });
        const { keys, values } = this.read(graph, layer, count, written);
        return attendHeads(ops, q, keys, values, mask);
      },
    };
  }
}

/** For single tokens: they attend over what was there before, and are stored afterwards. */
export class StepStore implements KeyValueStore {
  private readonly rows: Value;
  private readonly fresh: KeyValues[] = [];
  readonly effects: Effect[] = [];

  /** Slots int32 [b, 1] of the tokens, which see the ones before them among the first `count`. */
  constructor(
    private readonly cache: KeyValueCache,
    private readonly graph: GraphBuilder,
    slots: Value,
    private readonly count: number,
  ) {
    this.rows = cache.rows(graph, slots);
  }

  attend(ops: Ops, layer: number, q: Value, k: Value, v: Value, mask: Value): Value {
    this.fresh[layer] = { keys: k, values: v };
    return attendPast(ops, { q, k, v }, this.cache.read(this.graph, layer, this.count, []), mask);
  }

  /** What the pass has given a layer to store, as values of the function that `attend` was called in. */
  pending(layer: number): KeyValues {
    return this.fresh[layer];
  }

  /** Stores it, as values of the graph. */
  write(layer: number, fresh: KeyValues): void {
    this.effects.push(...this.cache.write(this.graph, layer, this.rows, fresh));
  }
}
