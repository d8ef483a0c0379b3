/** `plan RUN.glmtune.json` */
import type { Command } from 'commander';
import type { CommandContext, CommandEntry } from '../context';

export const planCommand: CommandEntry<object> = {
  define(program: Command, { t }: CommandContext): Command {
    return program
      .command('plan')
      .description(t('say what a run would do and how much memory it needs, without training'))
      .argument('<file>', t('run file (*.glmtune.json)'));
  },

  async run(context, _options, [file]) {
    const { plan } = await import('../run/plan');
    return plan(context, file);
  },
};
