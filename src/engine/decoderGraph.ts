/** A model's forward pass over resident weights, written into the body of a function. */
import { readAdapter, type AdapterValues } from './adapters/residentAdapter';
import { bindLora, bindPrefix } from './adapters/binding';
import type { GraphBuilder } from './backend/graphBuilder';
import type { Ops, Value } from './backend/ops';
import type { Forward } from './glm/model';
import { attendHeads, withPrefixColumns } from './nn/attention';
import { linear } from './nn/linear';
import type { LoraWeights } from './nn/lora';
import type { PrefixKeyValues } from './nn/prefix';
import { widened } from './nn/narrow';
import type { ResidentModel } from './residentModel';
import { sequenceMask, type SequenceInputs } from './sequence';
import type { ComputeDType } from './types';

/** Where keys and values of earlier tokens are kept while generating. */
export interface KeyValueStore {
  /**
   * Stores a layer's new keys and values [b, groups, t, d] and attends over all of them: q [b, heads, t, d] -> [b·t, heads·d].
   * `mask` is that of the pass.
   */
  attend(ops: Ops, layer: number, q: Value, k: Value, v: Value, mask: Value): Value;
}

export interface ForwardInputs {
  graph: GraphBuilder;
  /** `graph` itself, or a tape over it. */
  ops: Ops;
  /** Rotary positions int32 [b, t], one per stream. */
  positions: readonly Value[];
  /** Added to attention scores, broadcastable to [b, 1, t, keys]; without the columns of a prefix. */
  mask: Value;
  /** Null in training and scoring: keys and values are those of the pass itself. A store holds an adapter's prefix already. */
  store: KeyValueStore | null;
  /** The adapter's tensors in float32; null: without adapter. */
  adapter: AdapterValues | null;
  /** int32 [2] seed of dropout, different for every micro-batch; null outside training. */
  seed: Value | null;
  /** Model parameters that stand in for the resident ones (leaves of a tape). */
  parameters?: ReadonlyMap<string, Value>;
}

/** A forward pass whose operations can be redirected, so that a block can be recomputed on another tape. */
export class BoundForward implements Forward {
  private constructor(
    private readonly bound: {
      resident: ResidentModel;
      inputs: ForwardInputs;
      lora: ReadonlyMap<string, LoraWeights>;
      prefix: readonly PrefixKeyValues[] | null;
      mask: Value;
      parameters: Map<string, Value>;
    },
    readonly ops: Ops,
  ) {}

  /** Binds a model's parameters and adapter to the function that `inputs.graph` is writing. */
  static create(resident: ResidentModel, inputs: ForwardInputs): BoundForward {
    const { ops, adapter: values, seed, store, mask } = inputs;
    const adapter = values ? resident.adapter : null;
    const lora: ReadonlyMap<string, LoraWeights> =
      adapter?.kind === 'lora'
        ? ops.scope('adapter', () => bindLora(ops, adapter, values!, resident.dtype, seed))
        : new Map();
    const batch = inputs.positions[0].shape[0];
    const prefix =
      adapter?.kind === 'prefix' && !store
        ? ops.scope('adapter', () =>
            bindPrefix(ops, adapter, values!, { dtype: resident.dtype, batch, seed }),
          )
        : null;
    const wide = prefix ? withPrefixColumns(ops, mask, prefix[0].keys.shape[2]) : mask;
    return new BoundForward({ resident, inputs, lora, prefix, mask: wide, parameters: new Map() }, ops);
  }

  withOps(ops: Ops): BoundForward {
    return new BoundForward(this.bound, ops);
  }

  get dtype(): ComputeDType {
    return this.bound.resident.dtype;
  }

  get positions(): readonly Value[] {
    return this.bound.inputs.positions;
  }

  /**
   * Cast once for all its uses, on the tape of the whole pass; but a matrix that is stored narrower than it is computed with stays
   * as it is, for whoever uses it to widen it then.
   */
  parameter(name: string): Value {
    const { resident, inputs, parameters } = this.bound;
    let value = parameters.get(name);
    if (!value) {
      const variable = resident.variables.get(name);
      if (!variable) throw new Error(`the model has no parameter ${name}`);
      const stored = inputs.parameters?.get(name) ?? inputs.graph.read(variable);
      const isNarrow = resident.dtype === 'float32' && stored.shape.length > 1;
      const asIs = isNarrow || resident.model.isNorm(name);
      value = asIs ? stored : inputs.ops.cast(stored, resident.dtype);
      parameters.set(name, value);
    }
    return value;
  }

  linear(module: string, x: Value): Value {
    const { resident, inputs, lora } = this.bound;
    const name = `${module}.bias`;
    return linear(this.ops, x, {
      weight: resident.weight(inputs.graph, module, (weight) => this.parameter(weight)),
      bias: resident.variables.has(name) ? this.parameter(name) : null,
      lora: lora.get(module) ?? null,
    });
  }

  attend(layer: number, q: Value, k: Value, v: Value): Value {
    const { resident, inputs, prefix, mask } = this.bound;
    if (inputs.store) return inputs.store.attend(this.ops, layer, q, k, v, mask);
    const causal = !resident.model.bidirectionalContext;
    if (!prefix) return attendHeads(this.ops, q, k, v, mask, { causal });
    const keys = this.ops.concat([prefix[layer].keys, k], 2);
    const values = this.ops.concat([prefix[layer].values, v], 2);
    return attendHeads(this.ops, q, keys, values, mask, { causal });
  }
}

/** ids int32 [b, t] -> hidden states before the final norm, float32 [b·t, hidden]. */
export function hiddenStates(
  resident: ResidentModel,
  forward: BoundForward,
  ids: Value,
  options: { recompute?: boolean; embedded?: (x: Value) => Value } = {},
): Value {
  const { model } = resident;
  const shared = forward.ops.scope('inputs', () => model.shared(forward));
  const embedded = forward.ops.scope('embedding', () => model.embed(forward, ids));
  let x = options.embedded ? options.embedded(embedded) : embedded;
  for (let layer = 0; layer < model.layers; layer++) {
    const input = x;
    x = forward.ops.scope(`layer${layer}`, () =>
      options.recompute
        ? forward.ops.checkpoint([input], (ops, [again]) =>
            model.block(forward.withOps(ops), shared, again, layer),
          )
        : model.block(forward, shared, input, layer),
    );
  }
  return x;
}

/** A forward pass without tape, dropout or cache, as scoring and probing want it. */
export function plainForward(
  resident: ResidentModel,
  graph: GraphBuilder,
  inputs: SequenceInputs,
): BoundForward {
  return BoundForward.create(resident, {
    graph,
    ops: graph,
    positions: inputs.positions,
    mask: sequenceMask(graph, inputs, resident.dtype),
    store: null,
    adapter: readAdapter(graph, resident.adapter),
    seed: null,
  });
}

/** Hidden states before the final norm, float32 [n, hidden] -> float32 [n, vocab]. */
export function outputLogits(resident: ResidentModel, forward: Forward, hidden: Value): Value {
  const { model } = resident;
  const { ops } = forward;
  const weight = forward.parameter(model.outputWeight);
  const final = model.finish(forward, hidden);
  return ops.cast(ops.matMul(final, widened(ops, weight, final), { transposeB: true }), 'float32');
}
