/**
 * Fine-tunes a model of full size on this machine and says what it took: a checkpoint with ChatGLM3-6B's real configuration and
 * random weights is written to disk (12.5 GB), then the product trains on it for a few steps: npm run rehearsal -- [options]
 *
 *   --directory DIR   where the checkpoint goes, or is already (default: a new one under the system's temporary directory)
 *   --layers N        instead of 28, for a quick try          --steps N     optimiser steps (3)
 *   --rows N          rows of a step (1)                      --tokens N    tokens of a row (256)
 *   --method NAME     lora or ptuning_v2 (lora)               --dtype NAME  compute format (float32)
 *   --targets NAMES   LoRA's target modules, comma-separated, or all-linear
 *   --full-precision  keep the weights as they are instead of packing them to NF4
 *   --write-only      write the checkpoint and stop           --keep        do not delete it at the end
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { bootstrap, installEngine } from './bootstrap.mjs';
import { CommandFailed, main, ROOT, say, seconds, step } from './lib/run.mjs';
import { chatGlm3Config, writeRandomCheckpoint } from './lib/randomCheckpoint.mjs';

const POLL_MILLISECONDS = 200;
const MEBIBYTE = 2 ** 20;

await main(async () => {
  const options = readOptions();
  await bootstrap();
  await installEngine();
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'glmtune-rehearsal-'));
  const model = options.directory ? path.resolve(options.directory) : path.join(scratch, 'model');
  const config = chatGlm3Config(options.layers);
  let checkpoint;
  try {
    await step(`Checkpoint in ${model}`, async () => {
      checkpoint = writeRandomCheckpoint(model, config, say);
      if (!checkpoint.written) say('  was there already');
    });
    if (!options.writeOnly) report(await trainOn(model, scratch, options, config));
    say(`Parameters     ${checkpoint.parameters.toLocaleString('en')}`);
    say(`On disk        ${(checkpoint.bytes / 1e9).toFixed(2)} GB`);
  } finally {
    const kept = options.keep || options.writeOnly;
    if (!kept && checkpoint?.written !== false) rmSync(model, { recursive: true, force: true });
    if (!kept || options.directory) rmSync(scratch, { recursive: true, force: true });
  }
});

function readOptions() {
  const { values } = parseArgs({
    options: {
      directory: { type: 'string' },
      layers: { type: 'string', default: '28' },
      steps: { type: 'string', default: '3' },
      rows: { type: 'string', default: '1' },
      tokens: { type: 'string', default: '256' },
      method: { type: 'string', default: 'lora' },
      dtype: { type: 'string', default: 'float32' },
      targets: { type: 'string' },
      'full-precision': { type: 'boolean', default: false },
      'write-only': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const numbers = Object.fromEntries(
    ['layers', 'steps', 'rows', 'tokens'].map((name) => [name, positive(name, values[name])]),
  );
  return { ...values, ...numbers, fullPrecision: values['full-precision'], writeOnly: values['write-only'] };
}

function positive(name, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0`);
  return value;
}

/** Trains in a process of its own, as a user would, and measures that process. */
async function trainOn(model, scratch, options, config) {
  const runFile = writeRun(model, scratch, options, config);
  const start = Date.now();
  const cli = path.join(ROOT, 'dist/cli.js');
  const args = [cli, 'train', '--json', '--config', runFile, '--run-dir', path.join(scratch, 'run')];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  let peak = 0;
  const poll = setInterval(() => (peak = Math.max(peak, peakMemory(child.pid))), POLL_MILLISECONDS);
  const events = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const event = parseEvent(line);
      if (!event) continue;
      events.push({ ...event, at: Date.now() - start });
      describe(event, Date.now() - start);
    }
    const code = await exited;
    if (code !== 0) throw new CommandFailed('chatglm-finetune train', code);
  } finally {
    clearInterval(poll);
    child.kill();
  }
  return { events, peak };
}

function writeRun(model, scratch, options, config) {
  const data = path.join(scratch, 'train.jsonl');
  mkdirSync(path.join(scratch, 'run'), { recursive: true });
  const rows = Array.from({ length: options.rows * options.steps }, (_, row) => {
    const ids = Array.from({ length: options.tokens }, (_, place) => tokenAt(row, place, config));
    return JSON.stringify({ input_ids: ids, labels: ids });
  });
  writeFileSync(data, `${rows.join('\n')}\n`);
  const targets = options.targets === 'all-linear' ? 'all-linear' : options.targets?.split(',');
  const method =
    options.method === 'lora'
      ? { type: 'lora', r: 8, lora_alpha: 16, ...(targets && { target_modules: targets }) }
      : { type: options.method };
  const run = {
    version: 1,
    name: 'rehearsal',
    model,
    dataset: { train: data, max_length: options.tokens },
    method,
    quantization: options.fullPrecision ? null : { type: 'nf4', double_quant: true },
    training: {
      dtype: options.dtype,
      max_steps: options.steps,
      batch_size: options.rows,
      gradient_checkpointing: true,
    },
  };
  const file = path.join(scratch, 'rehearsal.glmtune.json');
  writeFileSync(file, `${JSON.stringify(run, null, 2)}\n`);
  return file;
}

/** Some token of the vocabulary; small ids are control tokens. */
function tokenAt(row, place, { padded_vocab_size: vocabulary }) {
  return 100 + ((Math.imul(row * 8191 + place + 1, 2654435761) >>> 8) % (vocabulary - 1100));
}

/** The most memory a process has had resident, in bytes; 0 where the system does not say (or the process has ended). */
function peakMemory(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function parseEvent(line) {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function describe(event, at) {
  const time = seconds(at).padStart(10);
  if (event.type === 'started')
    say(`${time}  loaded; ${event.trainable_parameters.toLocaleString('en')} trainable numbers`);
  if (event.type === 'step')
    say(
      `${time}  step ${event.step}: loss ${event.loss?.toFixed(4)}, ${event.tokens_per_second.toFixed(1)} tokens/s`,
    );
  if (event.type === 'warning') say(`${time}  warning ${event.code} ${JSON.stringify(event.args)}`);
  if (event.type === 'done') say(`${time}  done; logits changed by ${event.logit_change}`);
}

function report({ events, peak }) {
  const started = events.find(({ type }) => type === 'started');
  const steps = events.filter(({ type }) => type === 'step');
  const times = steps.map(({ seconds: at }, i) => at - (steps[i - 1]?.seconds ?? 0));
  say();
  say(`Loading        ${seconds(started?.at ?? NaN)} (reading and packing; until the first step begins)`);
  say(`Steps          ${times.map((time) => `${time.toFixed(1)} s`).join(', ')}`);
  say(`Peak memory    ${(peak / MEBIBYTE / 1024).toFixed(2)} GiB resident`);
}
