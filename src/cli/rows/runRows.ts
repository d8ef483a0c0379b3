/** What `score` and `generate` share: a model, an input file, one output row for each input row. */
import type { LanguageModel } from '../../engine';
import type { CommandContext } from '../context';
import { openEngine } from '../engineLoader';
import { EXIT_OK, InterruptedError } from '../exit';
import { interruptSignal } from '../interrupt';
import { modelToLoad, type ModelOptions } from '../options';
import { OrderedRows } from './orderedRows';
import { readRows, type Row } from './readRows';
import { openRowWriter, type RowWriter } from './rowWriter';

export interface RowsOptions extends ModelOptions {
  input: string;
  output?: string;
}

export interface RowsJob {
  model: LanguageModel;
  rows: readonly Row[];
  signal: AbortSignal;
  /** Takes the result of a row, by its index; throws `InterruptedError` after Ctrl-C, so that half a result is not kept. */
  done: (index: number, result: unknown) => Promise<void>;
  /** Whether nobody reads the results any more. */
  closed: () => boolean;
}

/**
 * Loads the model and lets `work` compute the results of all rows. The first bad row ends the command with an error that names
 * its line; a file given with --output then does not appear.
 */
export async function runRows(
  context: CommandContext,
  options: RowsOptions,
  shapes: string,
  work: (job: RowsJob) => Promise<void>,
): Promise<number> {
  const { output } = context;
  // Read once before the model is loaded: a typo in row 900 is found in a second, not after an hour.
  const rows: Row[] = [];
  for await (const row of readRows(options.input, shapes)) rows.push(row);
  // Opened before the model is loaded, too: a place that cannot be written is no news for the end.
  const writer = openRowWriter(output, options.output);
  try {
    await computeRows(context, options, rows, writer, work);
    writer.commit();
    return EXIT_OK;
  } finally {
    writer.abandon();
  }
}

async function computeRows(
  context: CommandContext,
  options: RowsOptions,
  rows: readonly Row[],
  writer: RowWriter,
  work: (job: RowsJob) => Promise<void>,
): Promise<void> {
  const { output, t } = context;
  const engine = await openEngine(context, options);
  const model = await engine.LanguageModel.load(modelToLoad(options));
  const { signal, dispose } = interruptSignal();
  const progress = output.progress({ total: rows.length, label: t('rows') });
  const ordered = new OrderedRows((row) => writer.write(row));
  let finished = 0;
  const done = async (index: number, result: unknown): Promise<void> => {
    if (signal.aborted) throw new InterruptedError();
    await ordered.put(index, result);
    progress.update((finished += 1));
  };
  try {
    await work({ model, rows, signal, done, closed: () => output.closed });
  } finally {
    dispose();
    progress.stop();
    await model.dispose();
  }
}
