/** `convert-adapter IN OUT --model DIR`: a LoRA adapter for the other layout of the same weights. */
import type { Command } from 'commander';
import type { ConvertAdapterOptions } from '../adapter/convert';
import type { CommandContext, CommandEntry } from '../context';

export const convertAdapterCommand: CommandEntry<ConvertAdapterOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    return program
      .command('convert-adapter')
      .description(t('rewrite a LoRA adapter between GLM-4-9B and GLM-4-9B-hf, exactly'))
      .argument('<in>', t('adapter directory'))
      .argument('<out>', t('directory to write; it must not exist'))
      .requiredOption('--model <dir>', t('the model the new adapter is for; its config.json is enough'));
  },

  async run(context, options, operands) {
    const { convert } = await import('../adapter/convert');
    return convert(context, options, operands);
  },
};
