/** `install-engine`: gets libtensorflow onto this machine. */
import { Option, type Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';
import type { InstallEngineOptions } from '../machine/installEngine';

export const installEngineCommand: CommandEntry<InstallEngineOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    return program
      .command('install-engine')
      .description(t('download and check the library that computes (libtensorflow)'))
      .addOption(
        new Option('--variant <variant>', t('cuda for NVIDIA GPUs; auto looks for one'))
          .choices(['auto', 'cpu', 'cuda'])
          .default('auto'),
      )
      .option('--index-url <url>', t('Python package index or mirror to download from'))
      .option('--from <path>', t('wheel file, or directory of wheels, downloaded by other means'))
      .option('--force', t('install again over an engine that is there'));
  },

  async run(context, options) {
    const { installEngine } = await import('../machine/installEngine');
    return installEngine(context, options);
  },
};
