/** `doctor`: can the engine run here, and if not, what to do about it. */
import type { Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';
import type { EngineOptions } from '../engineLoader';
import { addEngineOption } from '../options';

export const doctorCommand: CommandEntry<EngineOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    const command = program.command('doctor').description(t('check whether the engine runs on this machine'));
    addEngineOption(command, t);
    return command;
  },

  async run(context, options) {
    const { doctor } = await import('../machine/doctor');
    return doctor(context, options);
  },
};
