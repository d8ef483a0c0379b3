/** The loop behind `score` and `generate`: a model, an input file, one output row for each input row. */
import type { LanguageModel } from '../../engine';
import type { CommandContext } from '../context';
import { openInstalledEngine } from '../engineLoader';
import { EXIT_OK, InterruptedError } from '../exit';
import { interruptSignal } from '../interrupt';
import type { ModelOptions } from '../options';
import { readRows, type Row } from './readRows';
import { openRowWriter, type RowWriter } from './rowWriter';

export interface RowsOptions extends ModelOptions {
  input: string;
  output?: string;
}

/** Computes the output row of one input row. */
export type RowWork = (model: LanguageModel, row: Row, signal: AbortSignal) => Promise<unknown>;

/**
 * Loads the model and runs `work` on every row. The first bad row ends the command with an error that names its line; a
 * file given with --output then does not appear.
 */
export async function runRows(
  context: CommandContext,
  options: RowsOptions,
  shapes: string,
  work: RowWork,
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
  { output, t }: CommandContext,
  options: RowsOptions,
  rows: readonly Row[],
  writer: RowWriter,
  work: RowWork,
): Promise<void> {
  const engine = await openInstalledEngine();
  const model = await engine.LanguageModel.load({
    model: options.model,
    adapter: options.adapter ?? null,
    dtype: options.dtype,
  });
  const { signal, dispose } = interruptSignal();
  const progress = output.progress({ total: rows.length, label: t('rows') });
  try {
    for (const [index, row] of rows.entries()) {
      if (output.closed) break;
      const result = await work(model, row, signal);
      if (signal.aborted) throw new InterruptedError();
      await writer.write(result);
      progress.update(index + 1);
    }
  } finally {
    dispose();
    progress.stop();
    await model.dispose();
  }
}
