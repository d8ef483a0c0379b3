/** Packed rows: every token's loss is what it is in a row of its own, for every family and with a prefix. */
import { before, test } from 'node:test';
import { loadAdapter } from '../../src/engine/adapters/load';
import { loadModel } from '../../src/engine/loadModel';
import type { ResidentModel } from '../../src/engine/residentModel';
import { placesOf } from '../../src/engine/sequence';
import { createMicroBatch } from '../../src/engine/train/microBatch';
import { optimisers } from '../../src/engine/train/optimisers';
import { packRows, type TrainingRow } from '../../src/engine/train/rows';
import { TrainingStep } from '../../src/engine/train/step';
import { trainablesOf } from '../../src/engine/train/trainables';
import { fixture } from '../unit/fixtures';
import { ARCHITECTURES } from './architectures';
import { openTestEngine } from './engine';
import { readGoldenJson } from './golden';
import { readMicroBatches, rowsOf } from './microBatches';
import { assertClose, temporary, writeInitialPrefix, type Trajectory } from './trajectory';

before(openTestEngine);

/** The first rows of the training data. */
function firstRows(architecture: string): TrainingRow[] {
  const batches = readMicroBatches(`data/${architecture}/batches.json`).slice(0, 2);
  return batches.flatMap((batch, i) => rowsOf(batch, 2 * i + 1));
}

/** Losses by dataset line, in the order of the tokens. */
async function lossesByLine(
  resident: ResidentModel,
  step: TrainingStep,
  rows: TrainingRow[],
): Promise<Map<number, number[]>> {
  const micro = createMicroBatch(rows, rows.length, 1, (ids) => placesOf(resident, ids));
  const { tokenLosses } = await step.evaluate(micro);
  const losses = new Map<number, number[]>();
  for (let k = 0; k < micro.trained; k++) {
    const line = micro.lines[micro.owners[k]];
    losses.set(line, [...(losses.get(line) ?? []), tokenLosses[k]]);
  }
  return losses;
}

async function compare(architecture: string, adapter: string | null): Promise<void> {
  const resident = await loadModel({
    directory: fixture(`models/${architecture}`),
    dtype: 'float32',
    trainable: false,
  });
  if (adapter) await loadAdapter(resident, adapter);
  const step = new TrainingStep(resident, trainablesOf(resident, optimisers.adamw), {
    gradientCheckpointing: false,
    drops: false,
    decayAll: false,
    noiseAlpha: 0,
    labelSmoothing: 0,
  });
  const rows = firstRows(architecture);
  const alone = await lossesByLine(resident, step, rows);
  const packed = await lossesByLine(resident, step, packRows(rows, 1024, null));
  for (const [line, losses] of alone) assertClose(packed.get(line) ?? [], losses, 2e-5, `line ${line}`);
  await resident.close();
}

for (const architecture of ARCHITECTURES)
  test(`${architecture}: packed rows`, () => compare(architecture, null));

for (const [architecture, name] of [
  ['chatglm-v1', 'train-ptuning'],
  ['glm-hf', 'train-prefix'],
])
  test(`${architecture}: packed rows behind a prefix`, async () => {
    const golden = readGoldenJson<Trajectory>(`golden/${architecture}/${name}.json`);
    await compare(architecture, writeInitialPrefix(temporary(), architecture, name, golden));
  });
