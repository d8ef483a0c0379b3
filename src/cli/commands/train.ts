/** `train --config RUN.glmtune.json` */
import type { Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';
import type { TrainOptions } from '../run/train';

export const trainCommand: CommandEntry<TrainOptions> = {
  define(program: Command, context: CommandContext): Command {
    const { t } = context;
    return program
      .command('train')
      .description(t('fine-tune a model as a run file says'))
      .requiredOption('--config <file>', t('run file (*.glmtune.json)'))
      .option(
        '--run-dir <dir>',
        t('directory of the run (default: output_dir, else runs/<name> beside the run file)'),
      )
      .option('--overwrite', t('replace an older run in the named directory'));
  },

  async run(context, options) {
    const { train } = await import('../run/train');
    return train(context, options);
  },
};
