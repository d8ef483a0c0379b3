/** `convert-adapter IN OUT --model DIR`: a LoRA adapter for the other layout of the same weights. */
import fs from 'node:fs';
import { openAdapter, writeAdapter } from '../../checkpoint/adapter';
import { convertAdapter } from '../../checkpoint/adapterLayout';
import { readConfig } from '../../checkpoint/config';
import { GlmError } from '../../protocol/errors';
import type { CommandContext } from '../context';
import { EXIT_OK, UsageError } from '../exit';

export interface ConvertAdapterOptions {
  model: string;
}

export async function convert(
  { output, t }: CommandContext,
  { model }: ConvertAdapterOptions,
  [source, target]: readonly string[],
): Promise<number> {
  // A directory is written as a whole: what is there would be lost.
  if (fs.existsSync(target)) throw new UsageError(t('{path} exists already.', { path: target }));
  const config = readConfig(model);
  const adapter = openAdapter(source);
  try {
    if (adapter.kind !== 'lora')
      throw new GlmError('adapter.notConvertible', { path: source, reason: 'notLora', detail: '' });
    const { config: described, layers } = convertAdapter(adapter, config);
    const written = { ...described, base_model_name_or_path: model };
    writeAdapter(target, written, layers);
    if (output.json) output.record({ path: target, layers: layers.length, ...written });
    else
      output.result(
        t('{path}: {count} layers, rank {rank}, target_modules {targets}', {
          path: target,
          count: layers.length,
          rank: ranks(layers.map(({ a }) => a[0])),
          targets: names(layers.map(({ module }) => module)),
        }),
      );
  } finally {
    adapter.reader.close();
  }
  return EXIT_OK;
}

function ranks(all: readonly number[]): string {
  return [...new Set(all)].sort((a, b) => a - b).join(', ');
}

function names(modules: readonly string[]): string {
  return [...new Set(modules.map((module) => module.slice(module.lastIndexOf('.') + 1)))].join(', ');
}
