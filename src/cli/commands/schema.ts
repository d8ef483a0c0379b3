/** `schema --out DIR` (hidden): writes the JSON schemas of the run file, for the build. */
import type { Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';
import type { SchemaOptions } from '../schema';

export const schemaCommand: CommandEntry<SchemaOptions> = {
  define(program: Command, { t }: CommandContext): Command {
    return program
      .command('schema', { hidden: true })
      .description(t('write the JSON schemas of the run file'))
      .requiredOption('--out <dir>', t('directory for the schemas'));
  },

  async run(context, options) {
    const { schema } = await import('../schema');
    return schema(context, options);
  },
};
