/** Log-probabilities of given tokens. */
import { GlmError } from '../../protocol/errors';
import type { Program } from '../backend/session';
import { batchInputs, hiddenStates, outputLogits, plainForward } from '../decoderGraph';
import type { ResidentModel } from '../residentModel';
import { bucketLength, padInts } from '../shapes';
import type { Score } from '../types';

export class Scorer {
  private readonly programs = new Map<string, Program>();

  constructor(private readonly resident: ResidentModel) {}

  /**
   * Scores one sequence. `labels` (-100 = not counted) choose what the loss is a mean of; without labels every token but the
   * first counts. Throws `engine.tooLong` for more tokens than the model has positions.
   */
  async score(ids: readonly number[], labels: readonly number[] | null, topLogprobs: number): Promise<Score> {
    const { maxLength, vocabSize } = this.resident.model;
    if (ids.length > maxLength)
      throw new GlmError('engine.tooLong', { tokens: ids.length, limit: maxLength });
    const length = bucketLength(ids.length);
    const top = Math.min(topLogprobs, vocabSize);
    const positions = Int32Array.from({ length }, (_, i) => i);
    const next = padInts(ids.slice(1), length);
    const results = await this.program(length, top).run([padInts(ids, length), positions, next]);
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

  private program(length: number, top: number): Program {
    const key = `${length},${top}`;
    let program = this.programs.get(key);
    if (!program) {
      program = this.compile(length, top);
      this.programs.set(key, program);
    }
    return program;
  }

  private compile(length: number, top: number): Program {
    const { resident } = this;
    return resident.session.compile((graph) => {
      const [ids, positions] = batchInputs(graph, 1, length);
      const next = graph.placeholder([length], 'int32');
      const forward = plainForward(resident, graph, positions);
      const logits = outputLogits(resident, forward, hiddenStates(resident, forward, ids));
      const max = graph.max(logits, [1], true);
      const sum = graph.sum(graph.exp(graph.sub(logits, max)), [1], true);
      const logSum = graph.add(graph.log(sum), max);
      const chosen = graph.sub(graph.pick(logits, next), graph.reshape(logSum, [length]));
      if (top === 0) return { inputs: [ids, positions, next], outputs: [chosen], effects: [] };
      const best = graph.topK(logits, top);
      const values = graph.sub(best.values, logSum);
      return { inputs: [ids, positions, next], outputs: [chosen, values, best.indices], effects: [] };
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
