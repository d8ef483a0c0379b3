/** `lint FILE...`: what is wrong with datasets, and where. */
import { Option, type Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';
import type { LintOptions } from '../lint/lint';
import { wholeNumber } from '../options';

export const lintCommand: CommandEntry<LintOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    return program
      .command('lint')
      .description(t('check datasets for errors'))
      .argument('<file...>', t('JSONL files'))
      .addOption(
        new Option('--max-findings <n>', t('most findings to write for a file; all are counted'))
          .argParser(wholeNumber(t, 1))
          .default(1000),
      );
  },

  async run(context, options, operands) {
    const { lint } = await import('../lint/lint');
    return lint(context, options, operands);
  },
};
