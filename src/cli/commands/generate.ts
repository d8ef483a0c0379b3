/** `generate`: continues every row, for other programs and for exact comparison. */
import { Option, type Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';
import type { GenerateCommandOptions } from '../rows/generate';
import { addModelOptions, addSamplingOptions, wholeNumber } from '../options';

export const generateCommand: CommandEntry<GenerateCommandOptions> = {
  define(program: Command, context: CommandContext): Command {
    const { t } = context;
    const command = program
      .command('generate')
      .description(t('let a model answer or continue every row of a file'));
    addModelOptions(command, t);
    command
      .requiredOption('--input <file>', t('JSONL file, - for standard input'))
      .option('--output <file>', t('write here instead of to standard output'))
      .addOption(
        new Option(
          '--max-new-tokens <n>',
          t('longest answer in tokens; a row may have its own max_new_tokens'),
        )
          .argParser(wholeNumber(t, 1))
          .default(256),
      )
      .addOption(
        new Option(
          '--batch-size <n>',
          t('rows generated side by side, of similar length; faster, needs more memory'),
        )
          .argParser(wholeNumber(t, 1))
          .default(1),
      )
      .option('--ignore-eos', t('go on after the token that ends an answer'));
    addSamplingOptions(command, t);
    return command;
  },

  async run(context, options) {
    const { generate } = await import('../rows/generate');
    return generate(context, options);
  },
};
