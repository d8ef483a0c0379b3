/** Runs of `chatglm-finetune generate` and of `model.generate` over the same prompts. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ModelSizes } from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { jsonRecords } from '../harness/jsonLines';
import { runMeasured } from '../harness/measuredProcess';
import { median } from '../harness/statistics';
import type { Measurement } from '../harness/types';

export interface GenerationJob {
  sizes: ModelSizes;
  dtype: 'float32' | 'bfloat16';
  /** Prompts that are continued side by side. */
  rows: number;
  promptTokens: number;
  newTokens: number;
  /** One batch after the other in the same process; the first is not timed, unless it is the only one. */
  calls: number;
}

interface Call {
  seconds: number;
  /** Seconds since the process was started. */
  at: number;
  tokens: number[][];
}

export async function prepareGeneration(bench: Bench, { sizes, promptTokens }: GenerationJob): Promise<void> {
  await bench.assets.model(sizes);
  bench.assets.data(sizes.vocab_size, promptTokens);
}

/**
 * `generate` writes a batch's answers when all of them are there: from one batch's last line to the next one's is the time of the
 * second batch, its prompts included.
 */
export async function generateOurs(bench: Bench, job: GenerationJob): Promise<Measurement> {
  const { model } = await bench.assets.model(job.sizes);
  const directory = bench.freshDirectory();
  try {
    const input = path.join(directory, 'prompts.jsonl');
    const prompts = bench.assets.prompts(job.sizes.vocab_size, job.promptTokens, job.rows * job.calls);
    writeFileSync(input, prompts.map((ids) => `${JSON.stringify({ input_ids: ids })}\n`).join(''));
    const args = ['generate', '--json', '--model', model, '--dtype', job.dtype, '--input', input];
    const how = ['--greedy', '--ignore-eos', '--max-new-tokens', String(job.newTokens)];
    const batches = ['--batch-size', String(job.rows)];
    const { lines, peak } = await runMeasured(process.execPath, [bench.cli, ...args, ...how, ...batches]);
    const answers = jsonRecords(lines);
    const calls = Array.from({ length: job.calls }, (_, call): Call => {
      const batch = answers.slice(call * job.rows, (call + 1) * job.rows);
      const at = batch.at(-1)?.at ?? NaN;
      const before = answers[call * job.rows - 1]?.at ?? 0;
      return { at, seconds: at - before, tokens: batch.map((row) => row.output_ids as number[]) };
    });
    return measurementOf(job, calls, peak);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export async function generatePeer(
  bench: Bench,
  job: GenerationJob,
  precision: 'float32' | 'bfloat16',
): Promise<Measurement> {
  const { model } = await bench.assets.model(job.sizes);
  const { records, peak } = await bench.measurePeer('generate.py', {
    model,
    precision,
    prompts: bench.assets.data(job.sizes.vocab_size, job.promptTokens),
    rows: job.rows,
    calls: job.calls,
    new_tokens: job.newTokens,
  });
  const calls = records
    .filter(({ type }) => type === 'call')
    .map(({ seconds, at, tokens }): Call => ({ seconds: Number(seconds), at, tokens: tokens as number[][] }));
  return measurementOf(job, calls, peak);
}

/** New tokens per second of a call, prompt included; of a single call, the seconds from the start of the process. */
function measurementOf(job: GenerationJob, calls: readonly Call[], peak: number): Measurement {
  const tokens = calls.flatMap((call) => call.tokens);
  const complete = tokens.filter(({ length }) => length === job.newTokens).length;
  if (complete !== job.rows * job.calls) throw new Error(`${complete} whole answers`);
  const seconds = median((calls.length > 1 ? calls.slice(1) : calls).map((call) => call.seconds));
  const value = job.calls > 1 ? (job.rows * job.newTokens) / seconds : calls[0].at;
  return { value, peak, tokens, details: { firstAnswerAt: calls[0].at } };
}
