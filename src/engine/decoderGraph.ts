/** A model's forward pass over resident weights, written into the body of a function. */
import type { GraphBuilder } from './backend/graphBuilder';
import type { GraphValue } from './backend/graphOps';
import type { Ops, Value } from './backend/ops';
import type { Forward, KeyValueStore } from './glm/model';
import type { LoraWeights } from './nn/lora';
import { causalMask } from './nn/attention';
import { splitLora, type ResidentModel } from './residentModel';

export interface ForwardInputs {
  graph: GraphBuilder;
  /** `graph` itself, or a tape over it. */
  ops: Ops;
  positions: Value;
  mask: Value;
  store: KeyValueStore | null;
  /** Adapter matrices in float32 (`splitLora`); null: without adapter. */
  lora: readonly Value[] | null;
  /** Rate and int32 [2] seed of LoRA dropout; null outside training. */
  dropout: { rate: number; seed: Value } | null;
  /** Model parameters that stand in for the resident ones (leaves of a tape). */
  parameters?: ReadonlyMap<string, Value>;
}

/** Binds a model's parameters and adapter to the function that `graph` is writing. */
export function createForward(resident: ResidentModel, inputs: ForwardInputs): Forward {
  const { graph, ops, positions, mask, store } = inputs;
  const { model, dtype } = resident;
  const cache = new Map<string, Value>();
  const adapters = adapterWeights(resident, inputs);
  return {
    ops,
    dtype,
    positions,
    mask,
    store,
    parameter(name) {
      let value = cache.get(name);
      if (!value) {
        const variable = resident.variables.get(name);
        if (!variable) throw new Error(`the model has no parameter ${name}`);
        const stored = inputs.parameters?.get(name) ?? graph.read(variable);
        value = model.isNorm(name) ? stored : ops.cast(stored, dtype);
        cache.set(name, value);
      }
      return value;
    },
    lora: (module) => adapters.get(module) ?? null,
  };
}

function adapterWeights(resident: ResidentModel, inputs: ForwardInputs): Map<string, LoraWeights> {
  const { lora: layout, dtype } = resident;
  const { ops, lora: matrices, dropout } = inputs;
  const weights = new Map<string, LoraWeights>();
  if (!layout || !matrices) return weights;
  layout.shapes.forEach(({ module }, i) => {
    weights.set(module, {
      a: ops.cast(matrices[2 * i], dtype),
      b: ops.cast(matrices[2 * i + 1], dtype),
      scale: layout.scale,
      dropout: dropout && {
        rate: dropout.rate,
        seed: ops.add(dropout.seed, ops.constant(Int32Array.of(0, i), [2], 'int32')),
      },
    });
  });
  return weights;
}

/** ids int32 [b, t] -> hidden states before the final norm, float32 [b·t, hidden]. */
export function hiddenStates(
  resident: ResidentModel,
  forward: Forward,
  ids: Value,
  recompute = false,
): Value {
  const { model } = resident;
  const shared = model.shared(forward);
  let x = model.embed(forward, ids);
  for (let layer = 0; layer < model.layers; layer++) {
    x = recompute
      ? forward.ops.checkpoint([x], (ops, [input]) => model.block({ ...forward, ops }, shared, input, layer))
      : model.block(forward, shared, x, layer);
  }
  return x;
}

/** A forward pass without tape, dropout or cache, as scoring and probing want it; `positions` int32 [b, t]. */
export function plainForward(resident: ResidentModel, graph: GraphBuilder, positions: Value): Forward {
  return createForward(resident, {
    graph,
    ops: graph,
    positions,
    mask: causalMask(graph, { query: positions, key: positions }, null, resident.dtype),
    store: null,
    lora: loraMatrices(graph, resident),
    dropout: null,
  });
}

/** Hidden states before the final norm, float32 [n, hidden] -> float32 [n, vocab]. */
export function outputLogits(resident: ResidentModel, forward: Forward, hidden: Value): Value {
  const { model } = resident;
  const { ops } = forward;
  const weight = forward.parameter(model.outputWeight);
  return ops.cast(ops.matMul(model.finish(forward, hidden), weight, { transposeB: true }), 'float32');
}

/** The adapter's matrices, or null where the model has none. */
export function loraMatrices(graph: GraphBuilder, resident: ResidentModel): Value[] | null {
  return resident.lora ? splitLora(graph, resident.lora) : null;
}

/** Token ids and positions of a batch, int32 [b, t]. */
export function batchInputs(graph: GraphBuilder, batch: number, length: number): [GraphValue, GraphValue] {
  return [graph.placeholder([batch, length], 'int32'), graph.placeholder([batch, length], 'int32')];
}
