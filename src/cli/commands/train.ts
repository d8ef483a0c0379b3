/** `train --config RUN.glmtune.json` */
import type { Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';
import type { TrainOptions } from '../run/train';
import { addEngineOption } from '../options';

export const trainCommand: CommandEntry<TrainOptions> = {
  define(program: Command, context: CommandContext): Command {
    const { t } = context;
    const command = program
      .command('train')
      .description(t('fine-tune a model as a run file says'))
      .requiredOption('--config <file>', t('run file (*.glmtune.json)'))
      .option(
        '--run-dir <dir>',
        t('directory of the run (default: output_dir, else runs/<name> beside the run file)'),
      )
      .option('--overwrite', t('replace an older run in the named directory'));
    addEngineOption(command, t);
    return command;
  },

  async run(context, options) {
    const { train } = await import('../run/train');
    return train(context, options);
  },
};
