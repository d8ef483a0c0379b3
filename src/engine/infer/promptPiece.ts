/** Several tokens of every row at once: what prompts are processed by. */
import { readAdapter } from '../adapters/residentAdapter';
import type { Program } from '../backend/session';
import { BoundForward, hiddenStates, outputLogits } from '../decoderGraph';
import { visibilityMask } from '../nn/attention';
import type { ResidentModel } from '../residentModel';
import type { KeyValueCache } from './keyValueCache';

export interface PromptPieceOptions {
  cache: KeyValueCache;
  /** How many slots are looked at, those of the piece among them. */
  visible: number;
  /** Tokens of each row. */
  length: number;
}

/**
 * Feeds: ids, one array for each stream of positions, and slots that the tokens go into, [b, length] each; orders [b, visible] of
 * the slots as keys; flat index of each row's last token [b]; all int32. Returns logits after the last tokens, float32 [b, vocab].
 */
export function compilePromptPiece(
  resident: ResidentModel,
  { cache, visible, length }: PromptPieceOptions,
): Program {
  const { batch } = cache;
  return resident.session.compile((graph) => {
    const input = () => graph.placeholder([batch, length], 'int32');
    const ids = input();
    const positions = Array.from({ length: resident.model.streams }, input);
    const slots = input();
    const keyOrder = graph.placeholder([batch, visible], 'int32');
    const last = graph.placeholder([batch], 'int32');
    const forward = BoundForward.create(resident, {
      graph,
      ops: graph,
      positions,
      mask: visibilityMask(graph, { query: slots, key: keyOrder }, null, resident.dtype),
      store: cache.store(graph, slots, visible),
      adapter: readAdapter(graph, resident.adapter),
      seed: null,
    });
    const hidden = graph.gather(hiddenStates(resident, forward, ids), last);
    const logits = outputLogits(resident, forward, hidden);
    return { inputs: [ids, ...positions, slots, keyOrder, last], outputs: [logits], effects: [] };
  });
}
