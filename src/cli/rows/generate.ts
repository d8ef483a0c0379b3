/** `generate`: continues every row, for other programs and for exact comparison. */
import { readConfig } from '../../checkpoint/config';
import type { LanguageModel } from '../../engine';
import { isGlmError } from '../../protocol/errors';
import type { ChatTemplate } from '../../tokenizer/types';
import type { CommandContext } from '../context';
import { samplingSettings, type SamplingOptions } from '../options';
import { encodePromptRow, GENERATE_SHAPES, rowMaxNewTokens } from './encodeRow';
import type { Row } from './readRows';
import { runRows, type RowsOptions } from './runRows';

export interface GenerateCommandOptions extends RowsOptions, SamplingOptions {
  ignoreEos?: boolean;
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
