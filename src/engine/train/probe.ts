/** Proof that training changed the model: its logits on one training row, before and after. */
import type { Program } from '../backend/session';
import { hiddenStates, outputLogits, plainForward } from '../decoderGraph';
import type { ResidentModel } from '../residentModel';
import { oneSequence, sequenceFeeds, sequenceInputs } from '../sequence';
import { bucketLength } from '../shapes';
import type { TrainingRow } from './rows';

/** Longest row that is looked at whole; beyond it a chain of fewer tokens tells as much. */
const PROBE_TOKENS = 512;

export class Probe {
  private readonly program: Program;
  private readonly feeds: Int32Array[];

  constructor(resident: ResidentModel, { inputIds, starts }: TrainingRow) {
    const ids = [...inputIds.subarray(0, Math.min(starts[1] ?? inputIds.length, resident.maxLength))];
    const length = bucketLength(ids.length);
    const sequence = oneSequence(resident, ids, length);
    this.feeds = [...sequenceFeeds(sequence), Int32Array.of(Math.min(ids.length, PROBE_TOKENS) - 1)];
    this.program = resident.session.compile((graph) => {
      const inputs = sequenceInputs(graph, sequence);
      const place = graph.placeholder([1], 'int32');
      const forward = plainForward(resident, graph, inputs);
      const hidden = graph.gather(hiddenStates(resident, forward, inputs.ids), place);
      return {
        inputs: [...inputs.all, place],
        outputs: [outputLogits(resident, forward, hidden)],
        effects: [],
      };
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
