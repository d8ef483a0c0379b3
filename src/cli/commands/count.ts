/** `count CONFIG`: trainable and total parameters of a method. */
import { Option, type Command } from 'commander';
import type { CommandContext, CommandEntry } from '../context';
import type { CountOptions } from '../model/count';
import { wholeNumber } from '../options';

export const countCommand: CommandEntry<CountOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    return program
      .command('count')
      .description(t('count the parameters a method trains, from config.json alone'))
      .argument('<path>', t('checkpoint directory or config.json'))
      .addOption(
        new Option('--method <method>', t('how to fine-tune'))
          .choices(['lora', 'ptuning_v2', 'full'])
          .default('lora'),
      )
      .addOption(new Option('--r <n>', t('rank of LoRA')).argParser(wholeNumber(t, 1)).default(8))
      .option(
        '--target-modules <names>',
        t(
          "layers for LoRA, separated by commas, or all-linear; the family's attention projections where absent",
        ),
      )
      .option('--use-dora', t('LoRA with a trained magnitude per output row'))
      .addOption(
        new Option('--pre-seq-len <n>', t('entries of a P-Tuning v2 prefix'))
          .argParser(wholeNumber(t, 1))
          .default(128),
      )
      .option('--prefix-projection', t('P-Tuning v2 with a projection'))
      .addOption(
        new Option('--variant <variant>', t("kind of P-Tuning v2; the family's own where absent")).choices([
          'thudm',
          'peft',
        ]),
      )
      .addOption(
        new Option('--encoder-hidden-size <n>', t('inner width of the projection')).argParser(
          wholeNumber(t, 1),
        ),
      );
  },

  async run(context, options, operands) {
    const { count } = await import('../model/count');
    return count(context, options, operands);
  },
};
