/** `chat`: with a person at a terminal, or with an editor over standard input and output. */
import type { CommandContext } from '../context';
import { serveChat } from './stdio';
import { converse } from './terminal';
import { openEngine } from '../engineLoader';
import { EXIT_OK, UsageError } from '../exit';
import { modelToLoad, samplingSettings, type ModelOptions, type SamplingOptions } from '../options';

export interface ChatOptions extends SamplingOptions, Omit<ModelOptions, 'model'> {
  model?: string;
  system?: string;
  stdio?: boolean;
}

export async function chat(context: CommandContext, options: ChatOptions): Promise<number> {
  const { t } = context;
  if (options.stdio) return chatOverStdio(context, options);
  const { model: directory } = options;
  if (directory === undefined)
    throw new UsageError(t('The option {option} is missing.', { option: '--model <dir>' }));
  const engine = await openEngine(context, options);
  const model = await engine.LanguageModel.load(modelToLoad({ ...options, model: directory }));
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

async function chatOverStdio(context: CommandContext, options: ChatOptions): Promise<number> {
  const { output, t } = context;
  await serveChat(
    t,
    process.stdin,
    (reply) => output.record(reply),
    async (params) => {
      const engine = await openEngine(context, options);
      return engine.LanguageModel.load(params);
    },
  );
  return EXIT_OK;
}
