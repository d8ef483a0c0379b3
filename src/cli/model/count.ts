/** `count CONFIG`: how many parameters a method trains, from the configuration alone. */
import fs from 'node:fs';
import path from 'node:path';
import { readConfig, readConfigFile } from '../../checkpoint/config';
import { familyName } from '../../checkpoint/familyName';
import { ALL_LINEAR, loraTargets, targetableNames, unknownTargets } from '../../checkpoint/lora';
import { defaultPrefixVariant } from '../../checkpoint/prefix';
import { structureOf } from '../../checkpoint/structure';
import { countTrainable, type CountedMethod } from '../../checkpoint/trainable';
import type { ModelConfig } from '../../checkpoint/types';
import type { CommandContext } from '../context';
import { EXIT_OK, UsageError } from '../exit';
import { printFacts, type Fact } from '../facts';
import { formatCount, formatPercent } from '../format';

export interface CountOptions {
  method: CountedMethod['type'];
  r: number;
  targetModules?: string;
  useDora?: boolean;
  preSeqLen: number;
  prefixProjection?: boolean;
  variant?: 'thudm' | 'peft';
  encoderHiddenSize?: number;
}

export async function count(
  context: CommandContext,
  options: CountOptions,
  [source]: readonly string[],
): Promise<number> {
  const { output, t } = context;
  const config = configOf(source);
  const method = methodOf(options);
  checkTargets(context, config, method);
  const counted = countTrainable(config, method);
  if (output.json) {
    const settings = settingsOf(config, method);
    output.record({ architecture: config.architecture, method: method.type, ...settings, ...counted });
    return EXIT_OK;
  }
  const settings = Object.entries(settingsOf(config, method)).map(([key, value]): Fact => [
    key,
    Array.isArray(value) ? value.join(', ') : String(value),
  ]);
  printFacts(output, [
    [t('Family'), familyName(config.architecture)],
    [t('Method'), method.type],
    ...settings,
    [t('Trainable parameters'), formatCount(counted.trainable)],
    [t('Parameters of the model'), formatCount(counted.base)],
    [t('Together'), formatCount(counted.total)],
    [t('Trainable share'), formatPercent(counted.trainable / counted.total)],
  ]);
  return EXIT_OK;
}

/** Of a checkpoint directory or a `config.json` alone. Throws GlmError. */
function configOf(source: string): ModelConfig {
  const isFile = fs.statSync(source, { throwIfNoEntry: false })?.isFile() ?? false;
  return isFile ? readConfigFile(path.resolve(source)) : readConfig(source);
}

function methodOf(options: CountOptions): CountedMethod {
  switch (options.method) {
    case 'lora':
      return {
        type: 'lora',
        r: options.r,
        target_modules: targetsOf(options.targetModules),
        use_dora: options.useDora ?? false,
      };
    case 'ptuning_v2':
      return {
        type: 'ptuning_v2',
        pre_seq_len: options.preSeqLen,
        prefix_projection: options.prefixProjection ?? false,
        variant: options.variant ?? null,
        encoder_hidden_size: options.encoderHiddenSize ?? null,
      };
    case 'full':
      return { type: 'full' };
  }
}

/** Names separated by commas, `all-linear`, or nothing for the family's own. */
function targetsOf(text: string | undefined): string[] | typeof ALL_LINEAR | null {
  if (text === undefined) return null;
  if (text === ALL_LINEAR) return ALL_LINEAR;
  return text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

function checkTargets({ t }: CommandContext, config: ModelConfig, method: CountedMethod): void {
  if (method.type !== 'lora') return;
  const unknown = unknownTargets(config, method.target_modules);
  if (unknown.length === 0 && loraTargets(config, method.target_modules).length > 0) return;
  throw new UsageError(
    t('The model has no linear layer {names}. It has {known}.', {
      names: unknown.join(', '),
      known: targetableNames(config).join(', '),
    }),
  );
}

/** What was counted, with every default filled in. */
function settingsOf(
  config: ModelConfig,
  method: CountedMethod,
): Record<string, string | number | boolean | readonly string[]> {
  switch (method.type) {
    case 'lora':
      return {
        r: method.r,
        target_modules: method.target_modules ?? structureOf(config).defaultTargets,
        use_dora: method.use_dora ?? false,
      };
    case 'ptuning_v2':
      return {
        pre_seq_len: method.pre_seq_len,
        prefix_projection: method.prefix_projection,
        variant: method.variant ?? defaultPrefixVariant(config),
      };
    case 'full':
      return {};
  }
}
