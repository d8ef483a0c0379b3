/** Pre-training by the product's own trainer: a run file like any user's. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runFileSchema } from '../../../src/protocol/run';
import { EVENTS_FILE, MODEL } from '../../../src/protocol/runDirectory';
import { parseRunEvent, type DoneEvent } from '../../../src/protocol/events';
import { runCli } from './cli';
import { CORPUS_FILE, MAX_LENGTH, RUN_DIRECTORY, RUN_FILE, SEED_MODEL, TRAINING } from './settings';

/** Trains every weight of the seed model; an earlier pre-training run is replaced. */
export function pretrain(): void {
  const run = runFileSchema.parse({
    name: 'practice-model',
    model: SEED_MODEL,
    output_dir: RUN_DIRECTORY,
    dataset: { train: CORPUS_FILE, max_length: MAX_LENGTH },
    method: { type: 'full' },
    training: TRAINING,
    checkpoints: { every_steps: 400, keep_last: 1 },
  });
  writeFileSync(RUN_FILE, `${JSON.stringify(run, null, 2)}\n`);
  rmSync(RUN_DIRECTORY, { recursive: true, force: true });
  runCli(['train', '--config', RUN_FILE]);
}

export function trainedModel(): string {
  return path.join(RUN_DIRECTORY, MODEL);
}

/** How the pre-training run ended; throws if it did not. */
export function pretrainingResult(): DoneEvent {
  const lines = readFileSync(path.join(RUN_DIRECTORY, EVENTS_FILE), 'utf8').split('\n');
  const done = lines.map(parseRunEvent).findLast((event) => event?.type === 'done');
  if (done?.type !== 'done') throw new Error(`${RUN_DIRECTORY} holds no finished run`);
  return done;
}
