/** Sequences as a compiled pass takes them: ids, rotary positions, visibility. */
import type { GraphBuilder } from './backend/graphBuilder';
import type { GraphValue } from './backend/graphOps';
import type { Ops, Value } from './backend/ops';
import type { Places } from './glm/model';
import { visibilityMask } from './nn/attention';
import type { ResidentModel } from './residentModel';
import { padInts } from './shapes';
import type { ComputeDType } from './types';

/** All arrays are row-major over [batch, length]. */
export interface SequenceArrays {
  batch: number;
  length: number;
  ids: Int32Array;
  /** Rotary positions, one array per stream of the model. */
  streams: Int32Array[];
  /** Query i of a row sees key j where `keyOrder[j] <= i`. */
  keyOrder: Int32Array;
  /** Number of the segment each token belongs to; null where no row is packed. */
  segments: Int32Array | null;
}

export interface SequenceInputs {
  ids: GraphValue;
  positions: GraphValue[];
  keyOrder: GraphValue;
  segments: GraphValue | null;
  /** In the order of `sequenceFeeds`. */
  all: GraphValue[];
}

/**
 * Positions and visibility of ids, shifted by what an adapter puts before them. `paddingBefore` counts only then: positions relative
 * to a prefix matter, those among the tokens themselves do not change.
 */
export function placesOf(resident: ResidentModel, ids: ArrayLike<number>, paddingBefore = 0): Places {
  const places = resident.model.places(ids);
  if (resident.positionOffset === 0) return places;
  const offset = resident.positionOffset + paddingBefore;
  const streams = places.streams.map((stream) => stream.map((position) => position + offset));
  return { streams, keyOrder: places.keyOrder };
}

/** One sequence, padded to `length` by tokens that nothing before them sees. */
export function oneSequence(
  resident: ResidentModel,
  ids: readonly number[],
  length: number,
  paddingBefore = 0,
): SequenceArrays {
  const padded = padInts(ids, length);
  const { streams, keyOrder } = placesOf(resident, padded, paddingBefore);
  return { batch: 1, length, ids: padded, streams: [...streams], keyOrder, segments: null };
}

export function sequenceInputs(
  graph: GraphBuilder,
  {
    batch,
    length,
    streams,
    segments: packed,
  }: Pick<SequenceArrays, 'batch' | 'length' | 'streams' | 'segments'>,
): SequenceInputs {
  const input = (): GraphValue => graph.placeholder([batch, length], 'int32');
  const ids = input();
  const positions = streams.map(input);
  const keyOrder = input();
  const segments = packed ? input() : null;
  return {
    ids,
    positions,
    keyOrder,
    segments,
    all: [ids, ...positions, keyOrder, ...(segments ? [segments] : [])],
  };
}

export function sequenceFeeds({ ids, streams, keyOrder, segments }: SequenceArrays): Int32Array[] {
  return [ids, ...streams, keyOrder, ...(segments ? [segments] : [])];
}

/** Mask [b, 1, t, t] of a pass over whole sequences. */
export function sequenceMask(ops: Ops, { keyOrder, segments }: SequenceInputs, dtype: ComputeDType): Value {
  const [, length] = keyOrder.shape;
  const index = Int32Array.from({ length }, (_, i) => i);
  const query = ops.constant(index, [1, length], 'int32');
  return visibilityMask(ops, { query, key: keyOrder }, segments && { query: segments, key: segments }, dtype);
}
