/** `plan RUN.glmtune.json`: from the configuration and the data alone; neither weights nor libtensorflow are opened. */
import { choosesPortable } from '../../install/engineChoice';
import type { CommandContext } from '../context';
import { openPortableEngine, requireEngine, type EngineOptions } from '../engineLoader';
import { EXIT_OK } from '../exit';
import { formatCount } from '../format';
import { memoryLine } from './memoryLine';
import { readRunFile } from './readRunFile';

export async function plan(
  context: CommandContext,
  { engine: chosen }: EngineOptions,
  file: string,
): Promise<number> {
  const { output, t } = context;
  const { run, warnings } = readRunFile(t, file);
  for (const warning of warnings) output.warning(t('Warning:'), warning);
  // The library need not be there to plan for it.
  const engine = choosesPortable(chosen) ? await openPortableEngine() : requireEngine(__dirname);
  const { memory, plan: planned, data, trained } = await engine.planUnloaded(run);
  const longest = planned.rows.reduce((most, { inputIds }) => Math.max(most, inputIds.length), 0);
  if (output.json) {
    output.record({
      type: 'plan',
      trainable_parameters: trained,
      train_rows: data.train.rows.length,
      validation_rows: data.validation.rows.length,
      total_steps: planned.totalSteps,
      effective_batch_size: planned.rowsPerStep,
      longest_row: longest,
      memory,
    });
    return EXIT_OK;
  }
  output.result(t('Parameters that are trained: {count}', { count: formatCount(trained) }));
  output.result(
    t(
      '{rows} rows ({validation} for validation), {batch} per step, longest {longest} tokens, {steps} steps',
      {
        rows: data.train.rows.length,
        validation: data.validation.rows.length,
        batch: planned.rowsPerStep,
        longest,
        steps: planned.totalSteps,
      },
    ),
  );
  output.result(memoryLine(t, memory));
  return EXIT_OK;
}
