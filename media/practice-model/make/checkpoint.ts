/** The checkpoint before and after pre-training: random float32 weights in, bfloat16 weights out. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openCheckpoint } from '../../../src/checkpoint/checkpoint';
import { parseConfig } from '../../../src/checkpoint/config';
import { floatTensor } from '../../../src/checkpoint/floatTensor';
import { countParameters, elements, modelTensors } from '../../../src/checkpoint/modelTensors';
import { writeSafetensors } from '../../../src/checkpoint/safetensorsWriter';
import { Random } from './random';
import { CONFIG } from './settings';

const INITIAL_STD = 0.05;

/** Bias 0, norms 1, the two layers that write into the residual stream scaled by 1/sqrt(2 layers), all else N(0, 0.05²). */
function initialValues(name: string, count: number, random: Random): Float32Array {
  const values = new Float32Array(count);
  if (name.endsWith('.bias')) return values;
  if (name.endsWith('layernorm.weight')) return values.fill(1);
  const intoResidual = /(self_attention\.dense|dense_4h_to_h)\.weight$/.test(name);
  const std = intoResidual ? INITIAL_STD / Math.sqrt(2 * CONFIG.num_layers) : INITIAL_STD;
  return values.map(() => std * random.normal());
}

function writeConfig(directory: string, dtype: 'float32' | 'bfloat16'): void {
  const config = { ...CONFIG, torch_dtype: dtype };
  writeFileSync(path.join(directory, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
}

export function writeSeedModel(directory: string, seed: number): { parameters: number } {
  mkdirSync(directory, { recursive: true });
  writeConfig(directory, 'float32');
  const config = parseConfig({ ...CONFIG }, 'config.json');
  const random = new Random(seed);
  const tensors = modelTensors(config).map(({ name, shape }) =>
    floatTensor(name, shape, initialValues(name, elements(shape), random)),
  );
  writeSafetensors(path.join(directory, 'model.safetensors'), tensors);
  return { parameters: countParameters(config) };
}

const TOKENIZER_FILES = ['tokenizer.model', 'tokenizer_config.json'];

/** Rounds the weights of `trained` to bfloat16 and writes a complete checkpoint into `target`. */
export function exportBFloat16(trained: string, tokenizer: string, target: string): void {
  const { reader } = openCheckpoint(trained);
  const tensors = [...reader.tensors.values()].map(({ name, shape }) =>
    floatTensor(name, shape, reader.readFloat32(name), 'BF16'),
  );
  writeSafetensors(path.join(target, 'model.safetensors'), tensors);
  reader.close();
  writeConfig(target, 'bfloat16');
  for (const file of TOKENIZER_FILES) copyFileSync(path.join(tokenizer, file), path.join(target, file));
}
