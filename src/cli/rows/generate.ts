/** `generate`: continues every row, for other programs and for exact comparison. */
import { readEndIds } from '../../checkpoint/config';
import type { LanguageModel } from '../../engine';
import type { GenerateOptions, Generation } from '../../engine/types';
import { isGlmError } from '../../protocol/errors';
import type { ChatTemplate } from '../../tokenizer/types';
import type { CommandContext } from '../context';
import { samplingSettings, type SamplingOptions } from '../options';
import { lengthBatches } from './batches';
import { encodePromptRow, GENERATE_SHAPES, rowEncoder, rowMaxNewTokens, type RowEncoder } from './encodeRow';
import type { Row } from './readRows';
import { Pace } from './pace';
import { runRows, type RowsJob, type RowsOptions } from './runRows';

export interface GenerateCommandOptions extends RowsOptions, SamplingOptions {
  ignoreEos?: boolean;
  /** Rows generated side by side. */
  batchSize: number;
}

/** A row on its way to the model. */
interface Task {
  prompt: number[];
  options: GenerateOptions;
  /** Null where the row is token ids and the model comes without a tokenizer. */
  template: ChatTemplate | null;
}

export function generate(context: CommandContext, options: GenerateCommandOptions): Promise<number> {
  return runRows(context, options, GENERATE_SHAPES, async (job) => {
    const encoder = rowEncoder(job.model, options.model);
    const tasks: Task[] = [];
    // All of them before the first answer: a bad row is found at once.
    for (const row of job.rows) tasks.push(await taskOf(row, encoder, options, job));
    const pace = new Pace();
    const lengths = tasks.map(({ prompt }) => prompt.length);
    for (const batch of lengthBatches(lengths, options.batchSize)) {
      if (job.closed()) return;
      const chosen = batch.flatMap((index) => tasks[index] ?? []);
      const generations = await pace.of(chosen, (timed) => continueTogether(job.model, timed));
      for (const [at, index] of batch.entries())
        await job.done(index, answerRow(generations[at], chosen[at]?.template ?? null));
    }
    const remark = pace.describe(context.t);
    if (remark) context.output.info(remark);
  });
}

async function taskOf(
  row: Row,
  encoder: RowEncoder,
  options: GenerateCommandOptions,
  { model, signal }: RowsJob,
): Promise<Task> {
  const prompt = await encodePromptRow(row, encoder);
  const template = await templateOf(encoder, row);
  const stopIds = template?.stopIds ?? readEndIds(options.model);
  const room = model.maxLength - prompt.length;
  const sampling = samplingSettings(options, Math.min(rowMaxNewTokens(row, options.maxNewTokens), room));
  return { prompt, template, options: { sampling, stopIds: options.ignoreEos ? [] : stopIds, signal } };
}

async function continueTogether(model: LanguageModel, tasks: readonly Task[]): Promise<Generation[]> {
  const [only] = tasks;
  if (tasks.length === 1 && only) return [await model.generate(only.prompt, only.options)];
  return model.generateBatch(
    tasks.map(({ prompt }) => prompt),
    tasks.map(({ options }) => options),
  );
}

function answerRow({ outputIds, finishReason }: Generation, template: ChatTemplate | null): object {
  return {
    output_ids: outputIds,
    text: template?.decodeAnswer(outputIds) ?? null,
    finish_reason: finishReason,
  };
}

async function templateOf(encoder: RowEncoder, row: Row): Promise<ChatTemplate | null> {
  try {
    return (await encoder.bundle()).template;
  } catch (error) {
    if (isGlmError(error) && error.code === 'tokenizer.notFound' && 'input_ids' in row.value) return null;
    throw error;
  }
}
