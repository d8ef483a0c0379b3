/** Runs of `chatglm-finetune generate` and of `model.generate` over the same prompts. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ModelSizes } from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { jsonRecords } from '../harness/jsonLines';
import { runMeasured } from '../harness/measuredProcess';
import type { Measurement } from '../harness/types';

export interface GenerationJob {
  sizes: ModelSizes;
  dtype: 'float32' | 'bfloat16';
  /** Prompts that are continued side by side. */
  rows: number;
  promptTokens: number;
  newTokens: number;
  /** Tokens of a first batch that is not timed; 0: the timed batch is the first, and its time is that from the process's start. */
  warmUpTokens: number;
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
    const limits = callLimits(job);
    const prompts = bench.assets.prompts(job.sizes.vocab_size, job.promptTokens, job.rows * limits.length);
    const rows = prompts.map((ids, i) => {
      const limit = limits[Math.floor(i / job.rows)];
      return `${JSON.stringify({ input_ids: ids, max_new_tokens: limit })}\n`;
    });
    writeFileSync(input, rows.join(''));
    const args = ['generate', '--json', '--model', model, '--dtype', job.dtype, '--input', input];
    const how = ['--greedy', '--ignore-eos', '--batch-size', String(job.rows)];
    const { lines, peak } = await runMeasured(process.execPath, [bench.cli, ...args, ...how]);
    const answers = jsonRecords(lines);
    const calls = limits.map((_, call): Call => {
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
    new_tokens: callLimits(job),
  });
  const calls = records
    .filter(({ type }) => type === 'call')
    .map(({ seconds, at, tokens }): Call => ({ seconds: Number(seconds), at, tokens: tokens as number[][] }));
  return measurementOf(job, calls, peak);
}

/** New tokens of each call. */
function callLimits({ warmUpTokens, newTokens }: GenerationJob): number[] {
  return warmUpTokens > 0 ? [warmUpTokens, newTokens] : [newTokens];
}

/** New tokens per second of the timed call, prompt included; without a warm-up, the seconds from the start of the process. */
function measurementOf(job: GenerationJob, calls: readonly Call[], peak: number): Measurement {
  const last = calls.at(-1);
  const whole = last?.tokens.filter(({ length }) => length === job.newTokens).length;
  if (!last || whole !== job.rows) throw new Error(`${whole} whole answers instead of ${job.rows}`);
  const value = job.warmUpTokens > 0 ? (job.rows * job.newTokens) / last.seconds : last.at;
  return { value, peak, tokens: last.tokens };
}
