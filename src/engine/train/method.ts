/** Prepares a loaded model for the method of a run: full, LoRA or P-Tuning v2. */
import { targetNames } from '../../checkpoint/lora';
import { defaultPrefixVariant } from '../../checkpoint/prefix';
import type { LoraConfig, PrefixConfig } from '../../checkpoint/types';
import { GlmError } from '../../protocol/errors';
import type { LoraSettings, PrefixSettings, RunFile } from '../../protocol/run';
import { initialLora, initialPrefix, loraAdapter, prefixAdapter } from '../adapters/create';
import { loadAdapter } from '../adapters/load';
import type { ResidentModel } from '../residentModel';

/** Puts the adapter to train on the model: a new one, or the one the run starts from. */
export async function prepareMethod(run: RunFile, resident: ResidentModel): Promise<void> {
  const { method, adapter, training } = run;
  if (method.type === 'full') {
    if (adapter) throw new GlmError('run.adapterWithFull', { path: adapter });
    return;
  }
  if (adapter) return startFrom(adapter, method, resident);
  if (method.type === 'ptuning_v2') return startPrefix(run.model, method, training.seed, resident);
  return startLora(run.model, method, training.seed, resident);
}

async function startFrom(
  directory: string,
  method: LoraSettings | PrefixSettings,
  resident: ResidentModel,
): Promise<void> {
  const adapter = await loadAdapter(resident, directory, {
    training:
      method.type === 'lora'
        ? { lrRatio: method.loraplus_lr_ratio, prefixDropout: 0 }
        : { lrRatio: 1, prefixDropout: method.prefix_dropout },
  });
  if (adapter.kind !== (method.type === 'lora' ? 'lora' : 'prefix'))
    throw new GlmError('run.adapterKind', { path: directory, method: method.type });
}

async function startLora(
  model: string,
  method: LoraSettings,
  seed: number,
  resident: ResidentModel,
): Promise<void> {
  const { r, lora_alpha, lora_dropout, use_rslora, use_dora } = method;
  const config: LoraConfig = {
    r,
    lora_alpha,
    lora_dropout,
    target_modules: targetNames(resident.model.config, method.target_modules),
    use_rslora,
    use_dora,
    base_model_name_or_path: model,
  };
  const adapter = loraAdapter(model, resident.model.config, config, method.loraplus_lr_ratio);
  const values = initialLora(adapter.shapes, seed);
  await resident.setAdapter(adapter, ({ name }) => values.get(name)!);
}

async function startPrefix(
  model: string,
  method: PrefixSettings,
  seed: number,
  resident: ResidentModel,
): Promise<void> {
  const { pre_seq_len, prefix_projection, encoder_hidden_size, prefix_dropout } = method;
  const config: PrefixConfig = {
    variant: method.variant ?? defaultPrefixVariant(resident.model.config),
    pre_seq_len,
    prefix_projection,
    encoder_hidden_size,
    base_model_name_or_path: model,
  };
  const adapter = prefixAdapter(resident.model.config, config, prefix_dropout);
  const values = initialPrefix(adapter, seed);
  await resident.setAdapter(adapter, ({ name }) => values.get(name)!);
}

/** Whether training drops values at random, so that its steps need a seed. */
export function dropsValues({ adapter }: ResidentModel): boolean {
  if (!adapter) return false;
  return (adapter.kind === 'lora' ? adapter.config.lora_dropout : adapter.dropout) > 0;
}
