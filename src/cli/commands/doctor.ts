/** `doctor`: can the engine run here, and if not, what to do about it. */
import type { Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';

export const doctorCommand: CommandEntry<object> = {
  define(program: Command, { t }: CommandContext): Command {
    return program.command('doctor').description(t('check whether the engine runs on this machine'));
  },

  async run(context) {
    const { doctor } = await import('../machine/doctor');
    return doctor(context);
  },
};
