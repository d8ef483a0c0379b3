/** Loss on held-out rows. */
import { rowLosses } from './losses';
import { createMicroBatch, type PlacesOf } from './microBatch';
import type { TrainingRow } from './rows';
import type { TrainingStep } from './step';

export interface Evaluation {
  /** Mean over all trained tokens. */
  loss: number;
  perplexity: number;
  tokenAccuracy: number;
  /** 1-based lines of the rows whose own loss is not a finite number. */
  nonFiniteLines: number[];
}

/** Loss and accuracy over rows; null when `stop` asks to end early. Rows of similar length share a batch. */
export async function evaluateRows(
  step: TrainingStep,
  rows: readonly TrainingRow[],
  batchSize: number,
  placesOf: PlacesOf,
  stop: () => boolean,
): Promise<Evaluation | null> {
  const sorted = rows.toSorted((a, b) => b.inputIds.length - a.inputIds.length);
  let sum = 0;
  let hits = 0;
  let count = 0;
  const nonFiniteLines: number[] = [];
  for (let start = 0; start < sorted.length; start += batchSize) {
    if (stop()) return null;
    const micro = createMicroBatch(sorted.slice(start, start + batchSize), batchSize, 1, placesOf);
    const { tokenLosses, correct } = await step.evaluate(micro);
    for (let i = 0; i < micro.trained; i++) {
      sum += tokenLosses[i];
      hits += correct[i];
    }
    count += micro.trained;
    rowLosses(micro, tokenLosses).forEach((loss, i) => {
      if (loss !== null && !Number.isFinite(loss)) nonFiniteLines.push(micro.lines[i]);
    });
  }
  const loss = sum / count;
  return { loss, perplexity: Math.exp(loss), tokenAccuracy: hits / count, nonFiniteLines };
}
