/** `download REPOSITORY`: gets a model or an adapter from Hugging Face, a mirror or ModelScope. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandContext, CommandEntry } from '../context';
import type { DownloadCommandOptions } from '../hub/download';

export const downloadCommand: CommandEntry<DownloadCommandOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    return program
      .command('download')
      .description(t('download a model or an adapter from Hugging Face, a mirror or ModelScope'))
      .argument('<repository>', t('owner and name, such as THUDM/chatglm3-6b'))
      .addOption(
        new Option(
          '--source <source>',
          t('huggingface (or HF_ENDPOINT), modelscope, or the address of a server like Hugging Face'),
        ).default('huggingface'),
      )
      .option('--revision <revision>', t('branch, tag or commit; the default branch where absent'))
      .option('--to <dir>', t('directory of the model; named like the repository where absent'))
      .option(
        '--token-file <file>',
        t('file with an access token, - for standard input; HF_TOKEN where absent'),
      )
      .addOption(
        patterns(
          '--include <pattern>',
          t('files to take instead of what a checkpoint needs; may be repeated'),
        ),
      )
      .addOption(patterns('--exclude <pattern>', t('files to leave out; may be repeated')))
      .option('--force', t('replace files of the same names that were not downloaded'));

    function patterns(flags: string, description: string): Option {
      return new Option(flags, description).argParser((value: string, before: string[] | undefined) => {
        if (value === '') throw new InvalidArgumentError(t('A pattern such as *.json is expected.'));
        return [...(before ?? []), value];
      });
    }
  },

  async run(context, options, operands) {
    const { download } = await import('../hub/download');
    return download(context, options, operands);
  },
};
