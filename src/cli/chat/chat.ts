/** `chat`: with a person at a terminal, or with an editor over standard input and output. */
import type { CommandContext } from '../context';
import { serveChat } from './stdio';
import { converse } from './terminal';
import { openInstalledEngine } from '../engineLoader';
import { EXIT_OK, UsageError } from '../exit';
import { samplingSettings, type DTypeOption, type SamplingOptions } from '../options';

export interface ChatOptions extends SamplingOptions {
  model?: string;
  adapter?: string;
  dtype: DTypeOption;
  system?: string;
  stdio?: boolean;
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
