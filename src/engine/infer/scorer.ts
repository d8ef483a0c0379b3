/** Log-probabilities of given tokens. */
import { GlmError } from '../../protocol/errors';
import type { Program } from '../backend/session';
import { hiddenStates, outputLogits, plainForward } from '../decoderGraph';
import type { ResidentModel } from '../residentModel';
import { oneSequence, sequenceFeeds, sequenceInputs, type SequenceArrays } from '../sequence';
import { bucketLength, padInts } from '../shapes';
import type { Score } from '../types';

export class Scorer {
  private readonly programs = new Map<string, Program>();

  constructor(private readonly resident: ResidentModel) {}

  /**
   * Scores one sequence. `labels` (-100 = not counted) choose what the loss is a mean of; without labels every token but the
   * first counts. Throws `engine.tooLong` for more tokens than the model has positions.
   */
  async score(
    ids: readonly number[],
    labels: readonly number[] | null,
    topLogprobs: number,
    paddingBefore = 0,
  ): Promise<Score> {
    const { maxLength } = this.resident;
    const { vocabSize } = this.resident.model;
    if (ids.length > maxLength)
      throw new GlmError('engine.tooLong', { tokens: ids.length, limit: maxLength });
    const length = bucketLength(ids.length);
    const top = Math.min(topLogprobs, vocabSize);
    const sequence = oneSequence(this.resident, ids, length, paddingBefore);
    const next = padInts(ids.slice(1), length);
    const results = await this.program(sequence, top).run([...sequenceFeeds(sequence), next]);
    const [nextLogprobs, topValues, topIds] = results as [Float32Array, Float32Array?, Int32Array?];
    const logprobs = ids.map((_, t) => (t === 0 ? null : nextLogprobs[t - 1]));
    const score: Score = { tokens: [...ids], logprobs, ...mean(logprobs, labels) };
    if (topValues && topIds)
      score.top_logprobs = ids.map((_, t) =>
        Array.from({ length: top }, (__, i): [number, number] => [
          topIds[t * top + i],
          topValues[t * top + i],
        ]),
      );
    return score;
  }

  private program(sequence: SequenceArrays, top: number): Program {
    const key = `${sequence.length},${top}`;
    let program = this.programs.get(key);
    if (!program) {
      program = this.compile(sequence, top);
      this.programs.set(key, program);
    }
    return program;
  }

  private compile(sequence: SequenceArrays, top: number): Program {
    const { resident } = this;
    const { length } = sequence;
    return resident.session.compile((graph) => {
      const inputs = sequenceInputs(graph, sequence);
      const next = graph.placeholder([length], 'int32');
      const forward = plainForward(resident, graph, inputs);
      const logits = outputLogits(resident, forward, hiddenStates(resident, forward, inputs.ids));
      const max = graph.max(logits, [1], true);
      const sum = graph.sum(graph.exp(graph.sub(logits, max)), [1], true);
      const logSum = graph.add(graph.log(sum), max);
      const chosen = graph.sub(graph.pick(logits, next), graph.reshape(logSum, [length]));
      if (top === 0) return { inputs: [...inputs.all, next], outputs: [chosen], effects: [] };
      const best = graph.topK(logits, top);
      const values = graph.sub(best.values, logSum);
      return { inputs: [...inputs.all, next], outputs: [chosen, values, best.indices], effects: [] };
    });
  }
}

/** Mean negative log-probability of the counted tokens; 0 where none is counted. */
function mean(
  logprobs: readonly (number | null)[],
  labels: readonly number[] | null,
): { loss: number; tokens_counted: number } {
  let sum = 0;
  let count = 0;
  logprobs.forEach((logprob, t) => {
    if (logprob === null || (labels && labels[t] === -100)) return;
    sum -= logprob;
    count++;
  });
  return { loss: count ? sum / count : 0, tokens_counted: count };
}
