/** `score`: log-probabilities and loss of every row, for other programs and for exact comparison. */
import { Option, type Command } from 'commander';
import type { CommandContext } from '../context';
import { addModelOptions, wholeNumber } from '../options';
import { encodeScoreRow, SCORE_SHAPES } from '../rows/encodeRow';
import { runRows, type RowsOptions } from '../rows/runRows';

export interface ScoreOptions extends RowsOptions {
  topLogprobs: number;
}

export function defineScore(program: Command, context: CommandContext): Command {
  const { t } = context;
  const command = program.command('score').description(t('log-probability of every token, and the loss'));
  addModelOptions(command, t);
  return command
    .requiredOption('--input <file>', t('JSONL file, - for standard input'))
    .option('--output <file>', t('write here instead of to standard output'))
    .addOption(
      new Option('--top-logprobs <n>', t('also the n most likely tokens at every position'))
        .argParser(wholeNumber(t, 0))
        .default(0),
    );
}

export function score(context: CommandContext, options: ScoreOptions): Promise<number> {
  return runRows(context, options, SCORE_SHAPES, async (model, row) => {
    const { inputIds, labels } = await encodeScoreRow(row, model);
    return model.score(inputIds, labels, options.topLogprobs);
  });
}
