/** Micro-batches of the reference's training data as rows without padding, and the gradients of one. */
import type { ResidentModel } from '../../src/engine/residentModel';
import { placesOf } from '../../src/engine/sequence';
import { createMicroBatch } from '../../src/engine/train/microBatch';
import { adamw } from '../../src/engine/train/optimisers/adamw';
import type { TrainingRow } from '../../src/engine/train/rows';
import { TrainingStep } from '../../src/engine/train/step';
import { trainablesOf, type Trainables } from '../../src/engine/train/trainables';
import { readGoldenJson, realColumns } from './golden';

export interface GoldenBatch {
  input_ids: number[][];
  labels: number[][];
  attention_mask?: number[][];
}

export function readMicroBatches(file: string): GoldenBatch[] {
  return readGoldenJson<{ micro_batches: GoldenBatch[] }>(file).micro_batches;
}

export function rowsOf(batch: GoldenBatch, firstLine = 1): TrainingRow[] {
  return batch.input_ids.map((ids, i): TrainingRow => {
    const kept = realColumns(batch, i);
    return {
      inputIds: Int32Array.from(kept, (t) => ids[t]),
      labels: Int32Array.from(kept, (t) => batch.labels[i][t]),
      lines: [firstLine + i],
      starts: [0],
    };
  });
}

/** The mean loss of rows and, in the variables of `trainables`, its gradients. */
export async function meanGradients(
  resident: ResidentModel,
  rows: readonly TrainingRow[],
  gradientCheckpointing: boolean,
): Promise<{ trainables: Trainables; loss: number; gradientNorm: number }> {
  const trainables = trainablesOf(resident, adamw);
  const options = { gradientCheckpointing, drops: false, noiseAlpha: 0, labelSmoothing: 0, decayAll: true };
  const step = new TrainingStep(resident, trainables, options);
  const micro = (weight: number) =>
    createMicroBatch(rows, rows.length, weight, (ids) => placesOf(resident, ids));
  const { trained } = micro(1);
  const { tokenLosses, gradientNorm } = await step.accumulate(micro(1 / trained), {
    first: true,
    seed: 0,
    lossScale: 1,
  });
  const loss = tokenLosses.subarray(0, trained).reduce((sum, value) => sum + value, 0) / trained;
  return { trainables, loss, gradientNorm };
}
