/** `labels FILE`: the tokens that training makes of each row, and which of them it trains. */
import { Option, type Command } from 'commander';
import { TEMPLATE_IDS } from '../../tokenizer/types';
import type { CommandEntry, CommandContext } from '../context';
import type { LabelsOptions } from '../labels/labels';
import { wholeNumber } from '../options';

export const labelsCommand: CommandEntry<LabelsOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    return program
      .command('labels')
      .description(t('show the tokens of a row and which of them are trained'))
      .argument('<file>', t('JSONL file'))
      .requiredOption('--model <dir>', t('model directory; its tokenizer is used'))
      .addOption(new Option('--line <n>', t('only this line of the file')).argParser(wholeNumber(t, 1)))
      .addOption(
        new Option(
          '--max-rows <n>',
          t('most rows to show; 5 where nothing is said, all with --json'),
        ).argParser(wholeNumber(t, 1)),
      )
      .addOption(
        new Option('--max-length <n>', t('longest row in tokens, as dataset.max_length of a run'))
          .argParser(wholeNumber(t, 1))
          .default(1024),
      )
      .option('--mask-history', t('train only the last answer, as dataset.mask_history of a run'))
      .addOption(
        new Option('--template <name>', t('prompt format instead of the one of the model')).choices(
          TEMPLATE_IDS,
        ),
      );
  },

  async run(context, options, operands) {
    const { labels } = await import('../labels/labels');
    return labels(context, options, operands[0]);
  },
};
