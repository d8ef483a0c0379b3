/** `generate`: continues every row, for other programs and for exact comparison. */
import { Option, type Command } from 'commander';
import { readConfig } from '../../checkpoint/config';
import type { LanguageModel } from '../../engine';
import type { SamplingSettings } from '../../protocol/control';
import { isGlmError } from '../../protocol/errors';
import type { ChatTemplate } from '../../tokenizer/types';
import type { CommandContext } from '../context';
import { addModelOptions, addSamplingOptions, wholeNumber, type SamplingOptions } from '../options';
import { encodePromptRow, GENERATE_SHAPES, rowMaxNewTokens } from '../rows/encodeRow';
import type { Row } from '../rows/readRows';
import { runRows, type RowsOptions } from '../rows/runRows';

export interface GenerateCommandOptions extends RowsOptions, SamplingOptions {
  ignoreEos?: boolean;
}

export function defineGenerate(program: Command, context: CommandContext): Command {
  const { t } = context;
  const command = program
    .command('generate')
    .description(t('let a model answer or continue every row of a file'));
  addModelOptions(command, t);
  command
    .requiredOption('--input <file>', t('JSONL file, - for standard input'))
    .option('--output <file>', t('write here instead of to standard output'))
    .addOption(
      new Option('--max-new-tokens <n>', t('longest answer in tokens; a row may have its own max_new_tokens'))
        .argParser(wholeNumber(t, 1))
        .default(256),
    )
    .option('--ignore-eos', t('go on after the token that ends an answer'));
  addSamplingOptions(command, t);
  return command;
}

export function generate(context: CommandContext, options: GenerateCommandOptions): Promise<number> {
  return runRows(context, options, GENERATE_SHAPES, async (model, row, signal) => {
    const prompt = await encodePromptRow(row, model);
    const template = await templateOf(model, row);
    const stopIds = template?.stopIds ?? endOfText(options.model);
    const room = model.maxLength - prompt.length;
    const { outputIds, finishReason } = await model.generate(prompt, {
      sampling: samplingSettings(options, Math.min(rowMaxNewTokens(row, options.maxNewTokens), room)),
      stopIds: options.ignoreEos ? [] : stopIds,
      signal,
    });
    return {
      output_ids: outputIds,
      text: template?.decodeAnswer(outputIds) ?? null,
      finish_reason: finishReason,
    };
  });
}

/** The prompt format; null where the row is token ids and the model comes without a tokenizer. */
async function templateOf(model: LanguageModel, row: Row): Promise<ChatTemplate | null> {
  try {
    return (await model.bundle()).template;
  } catch (error) {
    if (isGlmError(error) && error.code === 'tokenizer.notFound' && 'input_ids' in row.value) return null;
    throw error;
  }
}

/** The stop token that the configuration names. */
function endOfText(model: string): number[] {
  const { eos_token_id: id } = readConfig(model);
  return id === null ? [] : [id];
}

export function samplingSettings(options: SamplingOptions, maxNewTokens: number): SamplingSettings {
  return {
    do_sample: !options.greedy,
    temperature: options.temperature,
    top_p: options.topP,
    top_k: options.topK,
    repetition_penalty: options.repetitionPenalty,
    max_new_tokens: maxNewTokens,
    seed: options.seed,
  };
}
