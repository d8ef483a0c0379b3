/** The variables that a run's method trains, from configurations alone. */
import { openAdapter } from '../../checkpoint/adapter';
import { targetNames } from '../../checkpoint/lora';
import { defaultPrefixVariant } from '../../checkpoint/prefix';
import type { ModelConfig } from '../../checkpoint/types';
import type { LoraSettings, PrefixSettings, RunFile } from '../../protocol/run';
import { loraAdapter, prefixAdapter } from '../adapters/create';
import type { LoraAdapter, PrefixAdapter, ResidentAdapter } from '../adapters/residentAdapter';

/** A new LoRA adapter. Throws `checkpoint.unknownTarget`; `model` is named in it. */
export function newLora(model: string, method: LoraSettings, config: ModelConfig): LoraAdapter {
  const { r, lora_alpha, lora_dropout, use_rslora, use_dora, loraplus_lr_ratio: lrRatio } = method;
  const settings = {
    r,
    lora_alpha,
    lora_dropout,
    target_modules: targetNames(config, method.target_modules),
    use_rslora,
    use_dora,
    base_model_name_or_path: model,
  };
  return loraAdapter(model, config, settings, { lrRatio, pissa: method.init_lora_weights === 'pissa' });
}

/** A new P-Tuning v2 adapter. */
export function newPrefix(model: string, method: PrefixSettings, config: ModelConfig): PrefixAdapter {
  const { pre_seq_len, prefix_projection, encoder_hidden_size, prefix_dropout } = method;
  const settings = {
    variant: method.variant ?? defaultPrefixVariant(config),
    pre_seq_len,
    prefix_projection,
    encoder_hidden_size,
    base_model_name_or_path: model,
  };
  return prefixAdapter(config, settings, prefix_dropout);
}

/** The layout of a run's adapter, a new one or the one it starts from; null for full fine-tuning. Throws `checkpoint.*`. */
export function adapterLayout(
  { model, adapter, method }: Pick<RunFile, 'model' | 'adapter' | 'method'>,
  config: ModelConfig,
): ResidentAdapter | null {
  if (method.type === 'full') return null;
  if (adapter === null)
    return method.type === 'lora' ? newLora(model, method, config) : newPrefix(model, method, config);
  const files = openAdapter(adapter);
  try {
    return files.kind === 'lora'
      ? loraAdapter(adapter, config, files.config)
      : prefixAdapter(config, files.config, 0);
  } finally {
    files.reader.close();
  }
}
