/** One more token for every row: the program that generation spends its time in. */
import { readAdapter } from '../adapters/residentAdapter';
import type { GraphBuilder } from '../backend/graphBuilder';
import type { Ops, Value } from '../backend/ops';
import { backend } from '../backend/backend';
import type { Program } from '../backend/session';
import { BoundForward, outputLogits } from '../decoderGraph';
import { visibilityMask } from '../nn/attention';
import type { ResidentModel } from '../residentModel';
import type { ComputeDType } from '../types';
import { StepStore, type KeyValueCache } from './keyValueCache';

export interface DecodeStepOptions {
  cache: KeyValueCache;
  /** How many slots are looked at; what is stored lies in the ones before them. */
  visible: number;
  /** Layers as one kernel each. */
  isEnclosed: boolean;
}

/** Compiling a layer takes a second, which smaller models do not win back. */
const WORTHWHILE_PARAMETERS = 16e6;

/**
 * Whether layers are compiled as one kernel each. That is fastest on processors, except where they have units for bfloat16, which
 * only the library's own products use. Packed weights are unpacked piece by piece, which one kernel would undo.
 */
export function enclosesLayers({ dtype, packed, parameters }: ResidentModel): boolean {
  const active = backend();
  const onProcessor = active.kind === 'libtensorflow' && active.devices().every(({ type }) => type === 'CPU');
  return onProcessor && dtype !== 'bfloat16' && packed.size === 0 && parameters >= WORTHWHILE_PARAMETERS;
}

/**
 * Feeds: ids [b, 1], a [b, 1] for each stream of positions, slots [b, 1] that the tokens go into; all int32. A token sees the slots
 * before its own: those of an adapter's prefix, the whole context, the answer. Returns logits float32 [b, vocab].
 */
export function compileDecodeStep(
  resident: ResidentModel,
  { cache, visible, isEnclosed }: DecodeStepOptions,
): Program {
  const { model } = resident;
  return resident.session.compile((graph) => {
    const input = () => graph.placeholder([cache.batch, 1], 'int32');
    const part = (name: string, f: (ops: Ops) => Value[]): Value[] =>
      graph.scope(name, () => (isEnclosed ? graph.enclose('decode', f) : f(graph)));
    const ids = input();
    const positions = Array.from({ length: model.streams }, input);
    const slots = input();
    const store = new StepStore(cache, graph, slots, visible);
    const forward = BoundForward.create(resident, {
      graph,
      ops: graph,
      positions,
      mask: earlierSlots(graph, slots, visible, resident.dtype),
      store,
      adapter: readAdapter(graph, resident.adapter),
      seed: null,
    });
    const shared = graph.scope('inputs', () => model.shared(forward));
    let x = graph.scope('embedding', () => model.embed(forward, ids));
    for (let layer = 0; layer < model.layers; layer++) {
      const before = x;
      const [output, keys, values] = part(`layer${layer}`, (ops) => {
        const next = model.block(forward.withOps(ops), shared, before, layer);
        const fresh = store.pending(layer);
        return [next, fresh.keys, fresh.values];
      });
      store.write(layer, { keys, values });
      x = output;
    }
    const [logits] = part('output', (ops) => [outputLogits(resident, forward.withOps(ops), x)]);
    return { inputs: [ids, ...positions, slots], outputs: [logits], effects: store.effects };
  });
}

/** Mask [b, 1, 1, count] of the slots before each row's own. */
function earlierSlots(graph: GraphBuilder, slots: Value, count: number, dtype: ComputeDType): Value {
  const order = Int32Array.from({ length: count }, (_, slot) => slot);
  const key = graph.constant(order, [1, count], 'int32');
  return visibilityMask(graph, { query: graph.sub(slots, graph.scalar(1, 'int32')), key }, null, dtype);
}
