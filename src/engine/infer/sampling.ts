/**
 * Choice of the next token. The filters and their order are those of transformers' `generate`: repetition penalty, temperature,
 * top-k (ties of the k-th are kept), top-p (a token stays while the mass before it is below p; at least one stays).
 */
import type { SamplingSettings } from '../../protocol/control';
import { GlmError } from '../../protocol/errors';
import type { Random } from '../random';
import { largestFirst } from './largestFirst';

/**
 * Applies the repetition penalty of Keskar et al. 2019 (https://arxiv.org/abs/1909.05858) in place: once for every id that
 * occurs in `history`.
 */
export function penaliseRepetition(logits: Float32Array, history: Iterable<number>, penalty: number): void {
  if (penalty === 1) return;
  for (const id of new Set(history)) {
    if (id < 0 || id >= logits.length) continue;
    logits[id] = logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty;
  }
}

/** Probabilities after temperature, top-k and top-p; ids that were filtered out have probability 0. */
export function filteredProbabilities(
  logits: Float32Array,
  { temperature, top_k: topK, top_p: topP }: Pick<SamplingSettings, 'temperature' | 'top_k' | 'top_p'>,
): Float64Array {
  const scores = Float64Array.from(logits, (logit) => logit / temperature);
  if (topK > 0 && topK < scores.length) {
    const threshold = kthLargest(scores, topK);
    for (let i = 0; i < scores.length; i++) if (scores[i] < threshold) scores[i] = -Infinity;
  }
  if (topP < 1) keepNucleus(scores, topP);
  return softmax(scores);
}

/** The id with the largest logit, the lowest id on ties. */
export function argMax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/**
 * Chooses a token: the likeliest without sampling, and at temperature 0, which is its limit. `logits` [vocab] is changed;
 * `history` holds prompt and answer so far. Throws `engine.notNumbers` where a logit is NaN.
 */
export function chooseToken(
  logits: Float32Array,
  history: Iterable<number>,
  sampling: SamplingSettings,
  random: Random,
): number {
  // Any choice among NaN would look like an answer.
  if (logits.includes(NaN)) throw new GlmError('engine.notNumbers', {});
  penaliseRepetition(logits, history, sampling.repetition_penalty);
  if (!sampling.do_sample || sampling.temperature <= 0) return argMax(logits);
  return draw(filteredProbabilities(logits, sampling), random.uniform());
}

/** The id at which the cumulated probability passes `u` in [0, 1). */
function draw(probabilities: Float64Array, u: number): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < probabilities.length; i++) {
    if (probabilities[i] === 0) continue;
    sum += probabilities[i];
    last = i;
    if (u < sum) return i;
  }
  return last;
}

function kthLargest(values: Float64Array, k: number): number {
  return values.toSorted()[values.length - k];
}

/** Sets what lies outside the nucleus to −∞ (Holtzman et al. 2019, https://arxiv.org/abs/1904.09751). */
function keepNucleus(scores: Float64Array, topP: number): void {
  const probabilities = softmax(scores);
  let before = 0;
  const kept = new Set<number>();
  for (const id of largestFirst(probabilities)) {
    if (kept.size > 0 && before >= topP) break;
    kept.add(id);
    before += probabilities[id];
  }
  for (let id = 0; id < scores.length; id++) if (!kept.has(id)) scores[id] = -Infinity;
}

function softmax(scores: Float64Array): Float64Array {
  let max = -Infinity;
  for (const score of scores) if (score > max) max = score;
  let sum = 0;
  const result = scores.map((score) => {
    const value = Math.exp(score - max);
    sum += value;
    return value;
  });
  return result.map((value) => value / sum);
}
