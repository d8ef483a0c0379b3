/** `check-model DIRECTORY`: what a checkpoint is, and what about it does not fit. */
import type { Command } from 'commander';
import type { CommandContext, CommandEntry } from '../context';
import type { CheckModelOptions } from '../model/checkModel';

export const checkModelCommand: CommandEntry<CheckModelOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    return program
      .command('check-model')
      .description(t('compare configuration, tokenizer and weights of a model'))
      .argument('<directory>', t('checkpoint directory'))
      .option('--values', t('also read every value and look for those that are not finite'));
  },

  async run(context, options, operands) {
    const { checkModel } = await import('../model/checkModel');
    return checkModel(context, options, operands);
  },
};
