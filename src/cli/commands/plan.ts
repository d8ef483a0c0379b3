/** `plan RUN.glmtune.json` */
import type { Command } from 'commander';
import type { CommandContext, CommandEntry } from '../context';
import type { EngineOptions } from '../engineLoader';
import { addEngineOption } from '../options';

export const planCommand: CommandEntry<EngineOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    const command = program
      .command('plan')
      .description(t('say what a run would do and how much memory it needs, without training'))
      .argument('<file>', t('run file (*.glmtune.json)'));
    addEngineOption(command, t);
    return command;
  },

  async run(context, options, [file]) {
    const { plan } = await import('../run/plan');
    return plan(context, options, file);
  },
};
