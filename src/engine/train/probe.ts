/** Proof that training changed the model: its logits on one training row, before and after. */
import type { Program } from '../backend/session';
import { batchInputs, hiddenStates, outputLogits, plainForward } from '../decoderGraph';
import type { ResidentModel } from '../residentModel';
import { bucketLength, padInts } from '../shapes';
import type { TrainingRow } from './rows';

/** Tokens of the row that are looked at: enough to tell, cheap on any model. */
const PROBE_TOKENS = 64;

export class Probe {
  private readonly program: Program;
  private readonly feeds: Int32Array[];

  constructor(resident: ResidentModel, row: TrainingRow) {
    const ids = row.inputIds.slice(0, PROBE_TOKENS);
    const length = bucketLength(ids.length);
    const last = Int32Array.of(ids.length - 1);
    this.feeds = [padInts(ids, length), Int32Array.from({ length }, (_, i) => i), last];
    this.program = resident.session.compile((graph) => {
      const [tokens, positions] = batchInputs(graph, 1, length);
      const place = graph.placeholder([1], 'int32');
      const forward = plainForward(resident, graph, positions);
      const hidden = graph.gather(hiddenStates(resident, forward, tokens), place);
      const outputs = [outputLogits(resident, forward, hidden)];
      return { inputs: [tokens, positions, place], outputs, effects: [] };
    });
  }

  /** Logits of the token after the row's first tokens. */
  async logits(): Promise<Float32Array> {
    const [logits] = await this.program.run(this.feeds);
    return logits as Float32Array;
  }
}

export function largestChange(before: Float32Array, after: Float32Array): number {
  return before.reduce((most, value, i) => Math.max(most, Math.abs(value - after[i])), 0);
}
