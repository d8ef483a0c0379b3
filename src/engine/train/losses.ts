/** Arithmetic on the losses of a step's micro-batches. */
import type { MicroBatch } from './microBatch';

/** The step's mean loss: every trained token carries its share as weight. */
export function weightedLoss(micros: readonly MicroBatch[], losses: readonly Float32Array[]): number {
  return micros.reduce((sum, { weights, trained }, i) => {
    for (let k = 0; k < trained; k++) sum += weights[k] * losses[i][k];
    return sum;
  }, 0);
}

/** Mean loss per dataset line, null where none of its tokens is trained. */
export function rowLosses(micro: MicroBatch, losses: Float32Array): (number | null)[] {
  const sums = micro.lines.map(() => 0);
  const counts = micro.lines.map(() => 0);
  for (let k = 0; k < micro.trained; k++) {
    sums[micro.owners[k]] += losses[k];
    counts[micro.owners[k]]++;
  }
  return sums.map((sum, i) => (counts[i] > 0 ? sum / counts[i] : null));
}

/** As torch.nn.utils.clip_grad_norm_; 0 turns clipping off. */
export function clipFactor(norm: number, maxNorm: number): number {
  return maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
