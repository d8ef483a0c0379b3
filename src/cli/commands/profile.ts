/** `profile RUN.glmtune.json`: where the time and the memory of a training step go. */
import { Option, type Command } from 'commander';
import type { CommandContext, CommandEntry } from '../context';
import { wholeNumber } from '../options';
import type { ProfileOptions } from '../profile/profile';

export const profileCommand: CommandEntry<ProfileOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    return program
      .command('profile')
      .description(t('say where the time and the memory of a training step go, on this device'))
      .argument('<file>', t('run file (*.glmtune.json)'))
      .addOption(
        new Option('--steps <n>', t('steps to time, and as many to take apart'))
          .argParser(wholeNumber(t, 1))
          .default(5),
      )
      .option('--layers', t('list every layer by itself'));
  },

  async run(context, options, [file]) {
    const { profile } = await import('../profile/profile');
    return profile(context, options, file);
  },
};
