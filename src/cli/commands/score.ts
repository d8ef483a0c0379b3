/** `score`: log-probabilities and loss of every row, for other programs and for exact comparison. */
import { Option, type Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';
import type { ScoreOptions } from '../rows/score';
import { addModelOptions, wholeNumber } from '../options';

export const scoreCommand: CommandEntry<ScoreOptions> = {
  define(program: Command, context: CommandContext): Command {
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
  },

  async run(context, options) {
    const { score } = await import('../rows/score');
    return score(context, options);
  },
};
