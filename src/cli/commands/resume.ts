/** `resume RUN_DIR [--checkpoint step-N]` */
import type { Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';
import type { ResumeOptions } from '../run/resume';
import { addEngineOption } from '../options';

export const resumeCommand: CommandEntry<ResumeOptions> = {
  define(program: Command, context: CommandContext): Command {
    const { t } = context;
    const command = program
      .command('resume')
      .description(t('go on with a stopped, failed or interrupted run'))
      .argument('<run-dir>', t('directory of the run'))
      .option('--checkpoint <name>', t('checkpoint to go on from, such as step-40 (default: the newest)'));
    addEngineOption(command, t);
    return command;
  },

  async run(context, options, operands) {
    const { resume } = await import('../run/resume');
    return resume(context, options, operands);
  },
};
