/** `chat`: with a person at a terminal, or with an editor over standard input and output. */
import { Option, type Command } from 'commander';
import type { CommandEntry, CommandContext } from '../context';
import type { ChatOptions } from '../chat/chat';
import { addModelOptions, addSamplingOptions, wholeNumber } from '../options';

export const chatCommand: CommandEntry<ChatOptions> = {
  define(program: Command, context: CommandContext): Command {
    const { t } = context;
    const command = program
      .command('chat')
      .description(t('talk with a model'))
      .option('--system <text>', t('system prompt'))
      .addOption(
        new Option('--max-new-tokens <n>', t('longest answer in tokens'))
          .argParser(wholeNumber(t, 1))
          .default(512),
      )
      .option('--stdio', t('speak the chat protocol of the editor over standard input and output'));
    addModelOptions(command, t, false);
    addSamplingOptions(command, t);
    return command;
  },

  async run(context, options) {
    const { chat } = await import('../chat/chat');
    return chat(context, options);
  },
};
