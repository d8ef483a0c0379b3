/** What can be seen of the data without the model's weights: found in a second instead of after minutes of loading. */
import { readConfig } from '../../checkpoint/config';
import { checkTokenizer } from '../../checkpoint/doctor/checkTokenizer';
import { structureOf } from '../../checkpoint/structure';
import { readRecords } from '../../dataset';
import type { TrainingRecord } from '../../dataset/types';
import { GlmError } from '../../protocol/errors';
import type { ModelFinding } from '../../protocol/modelReport';
import type { RunFile } from '../../protocol/run';
import { loadTokenizer } from '../../tokenizer/load';
import { tokenizerFacts } from '../model/tokenizerFacts';

/**
 * Makes sure that every dataset of the run has a usable record, and that the model's tokenizer can be read where a record is
 * text and belongs to the model. Reads no further than the first usable record.
 * @returns what is worth a warning; throws `dataset.*`, `tokenizer.*` and `checkpoint.*`
 */
export async function checkData(run: RunFile): Promise<ModelFinding[]> {
  const { train, validation } = run.dataset;
  const records = [await firstRecord(train)];
  if (validation !== null) records.push(await firstRecord(validation));
  if (records.every(({ kind }) => kind === 'tokens')) return [];
  const config = readConfig(run.model);
  const bundle = await loadTokenizer(run.model, {
    vocabSize: structureOf(config).vocabSize,
    template: run.dataset.template,
  });
  return checkTokenizer(run.model, config, tokenizerFacts(bundle));
}

async function firstRecord(path: string): Promise<TrainingRecord> {
  let dropped = 0;
  for await (const item of readRecords(path)) {
    if ('record' in item) return item.record;
    dropped += 1;
  }
  throw new GlmError('dataset.empty', { path, rows: dropped, dropped });
}
