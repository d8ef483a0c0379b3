/** How many numbers each method trains, from the configuration alone. */
import { countLoraParameters, loraShapes, type TargetModules } from './lora';
import { countParameters } from './modelTensors';
import { countPrefixParameters, defaultPrefixVariant, prefixShapes } from './prefix';
import type { ModelConfig, PrefixConfig } from './types';

/** The part of a run file's `method` that the count depends on. */
export type CountedMethod =
  | { type: 'lora'; r: number; target_modules: TargetModules; use_dora?: boolean }
  | {
      type: 'ptuning_v2';
      pre_seq_len: number;
      prefix_projection: boolean;
      /** Null: the family's own. */
      variant?: PrefixConfig['variant'] | null;
      encoder_hidden_size?: number | null;
    }
  | { type: 'full' };

export interface ParameterCount {
  trainable: number;
  /** Parameters of the model itself; a tied output layer counts once. */
  base: number;
  /** What is in memory when training: `base` and what the method adds. */
  total: number;
}

/** Counts for one method; throws GlmError `adapter.badPattern` for targets that are no regular expression. */
export function countTrainable(config: ModelConfig, method: CountedMethod): ParameterCount {
  const base = countParameters(config);
  if (method.type === 'full') return { trainable: base, base, total: base };
  const trainable = method.type === 'lora' ? loraCount(config, method) : prefixCount(config, method);
  return { trainable, base, total: base + trainable };
}

function loraCount(config: ModelConfig, method: CountedMethod & { type: 'lora' }): number {
  const { r, target_modules, use_dora = false } = method;
  return countLoraParameters(loraShapes(config, { r, target_modules, use_dora }));
}

function prefixCount(config: ModelConfig, method: CountedMethod & { type: 'ptuning_v2' }): number {
  const { pre_seq_len, prefix_projection, encoder_hidden_size = null } = method;
  const variant = method.variant ?? defaultPrefixVariant(config);
  return countPrefixParameters(
    prefixShapes(config, { variant, pre_seq_len, prefix_projection, encoder_hidden_size }),
  );
}
