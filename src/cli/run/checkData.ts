/** What can be seen of the data without the model's weights: found in a second instead of after minutes of loading. */
import { readConfig } from '../../checkpoint/config';
import { structureOf } from '../../checkpoint/structure';
import { readRecords } from '../../dataset';
import type { TrainingRecord } from '../../dataset/types';
import { GlmError } from '../../protocol/errors';
import type { RunFile } from '../../protocol/run';
import { loadTokenizer } from '../../tokenizer/load';

/**
 * Makes sure that every dataset of the run has a usable record, and that the model's tokenizer can be read where a record is
 * text. Reads no further than the first usable record. Throws `dataset.*` and `tokenizer.*`.
 */
export async function checkData(run: RunFile): Promise<void> {
  const { train, validation } = run.dataset;
  const records = [await firstRecord(train)];
  if (validation !== null) records.push(await firstRecord(validation));
  if (records.some(({ kind }) => kind !== 'tokens'))
    await loadTokenizer(run.model, {
      vocabSize: structureOf(readConfig(run.model)).vocabSize,
      template: run.dataset.template,
    });
}

async function firstRecord(path: string): Promise<TrainingRecord> {
  let dropped = 0;
  for await (const item of readRecords(path)) {
    if ('record' in item) return item.record;
    dropped += 1;
  }
  throw new GlmError('dataset.empty', { path, rows: dropped, dropped });
}
