/** `chat`: with a person at a terminal, or with an editor over standard input and output. */
import { Option, type Command } from 'commander';
import type { CommandContext } from '../context';
import { serveChat } from '../chat/stdio';
import { converse } from '../chat/terminal';
import { openInstalledEngine } from '../engine';
import { EXIT_OK, UsageError } from '../exit';
import {
  addSamplingOptions,
  dtypeOption,
  wholeNumber,
  type DTypeOption,
  type SamplingOptions,
} from '../options';
import { samplingSettings } from './generate';

export interface ChatOptions extends SamplingOptions {
  model?: string;
  adapter?: string;
  dtype: DTypeOption;
  system?: string;
  stdio?: boolean;
}

export function defineChat(program: Command, context: CommandContext): Command {
  const { t } = context;
  const command = program
    .command('chat')
    .description(t('talk with a model'))
    .option('--model <dir>', t('checkpoint directory (config.json, safetensors, tokenizer.model)'))
    .option('--adapter <dir>', t('PEFT adapter directory, put on the model'))
    .addOption(dtypeOption(t))
    .option('--system <text>', t('system prompt'))
    .addOption(
      new Option('--max-new-tokens <n>', t('longest answer in tokens'))
        .argParser(wholeNumber(t, 1))
        .default(512),
    )
    .option('--stdio', t('speak the chat protocol of the editor over standard input and output'));
  addSamplingOptions(command, t);
  return command;
}

export async function chat(context: CommandContext, options: ChatOptions): Promise<number> {
  const { t } = context;
  if (options.stdio) return chatOverStdio(context);
  if (options.model === undefined)
    throw new UsageError(t('The option {option} is missing.', { option: '--model <dir>' }));
  const engine = await openInstalledEngine();
  const model = await engine.LanguageModel.load({
    model: options.model,
    adapter: options.adapter ?? null,
    dtype: options.dtype,
  });
  try {
    const conversation = {
      ...(options.system === undefined ? {} : { system: options.system }),
      sampling: samplingSettings(options, options.maxNewTokens),
    };
    return await converse(context, model, conversation, process.stdin, process.stdout);
  } finally {
    await model.dispose();
  }
}

async function chatOverStdio({ output, t }: CommandContext): Promise<number> {
  await serveChat(
    t,
    process.stdin,
    (reply) => output.record(reply),
    async (params) => {
      const engine = await openInstalledEngine();
      return engine.LanguageModel.load(params);
    },
  );
  return EXIT_OK;
}
