/** New adapters: which variables they take, and what these start from. */
import path from 'node:path';
import {
  loraShapes,
  loraTensorName,
  unknownTargets,
  type LoraPart,
  type LoraShape,
} from '../../checkpoint/lora';
import { elements } from '../../checkpoint/modelTensors';
import { prefixShapes } from '../../checkpoint/prefix';
import type { LoraConfig, ModelConfig, PrefixConfig } from '../../checkpoint/types';
import { GlmError } from '../../protocol/errors';
import { Random } from '../random';
import { flatGroup, type FlatGroup, type FlatPart } from './flat';
import { initialName, type LoraAdapter, type PrefixAdapter } from './residentAdapter';

/**
 * A LoRA adapter's layout; nothing is in its variables yet. `lrRatio` is LoRA+'s factor of the learning rate of B
 * (Hayou et al. 2024, https://arxiv.org/abs/2402.12354); `pissa` keeps the first matrices beside the trained
 * ones. Throws `checkpoint.unknownTarget`; `directory` is named in it.
 */
export function loraAdapter(
  directory: string,
  model: ModelConfig,
  config: LoraConfig,
  { lrRatio = 1, pissa = false }: { lrRatio?: number; pissa?: boolean } = {},
): LoraAdapter {
  const unknown = unknownTargets(model, config.target_modules);
  if (unknown.length > 0)
    throw new GlmError('checkpoint.unknownTarget', {
      path: path.join(directory, 'config.json'),
      target: unknown.join(', '),
    });
  const shapes = loraShapes(model, config);
  const groups = [
    flatGroup('adapter.A', loraParts(shapes, 'A'), { isMatrix: true }),
    flatGroup('adapter.B', loraParts(shapes, 'B'), { isMatrix: true, lrFactor: lrRatio }),
  ];
  if (config.use_dora)
    groups.push(flatGroup('adapter.magnitude', loraParts(shapes, 'magnitude'), { isMatrix: false }));
  const frozen = pissa ? groups.slice(0, 2).map(initialGroup) : [];
  return { kind: 'lora', config, shapes, groups, frozen };
}

/** A group of the same shape for the values that another began with. */
function initialGroup({ variable, parts }: FlatGroup): FlatGroup {
  const renamed = parts.map(({ name, shape }) => ({ name: initialName(name), shape }));
  return flatGroup(initialName(variable.name), renamed, { isMatrix: true });
}

function loraParts(shapes: readonly LoraShape[], part: LoraPart): FlatPart[] {
  return shapes.map(({ module, a, b, magnitude }) => ({
    name: loraTensorName(module, part),
    shape: part === 'A' ? a : part === 'B' ? b : magnitude!,
  }));
}

/**
 * Initial values of an adapter's matrices by their names. PEFT's default: A is Kaiming uniform with a = √5, which is
 * U(−1/√in, 1/√in); B is 0, so that training starts from the base model.
 */
export function initialLora(shapes: readonly LoraShape[], seed: number): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  shapes.forEach(({ module, a, b, inFeatures }, layer) => {
    const random = new Random(seed, 0x6c6f7261 + layer);
    const bound = 1 / Math.sqrt(inFeatures);
    const matrix = Float32Array.from({ length: elements(a) }, () => (2 * random.uniform() - 1) * bound);
    values.set(loraTensorName(module, 'A'), matrix);
    values.set(loraTensorName(module, 'B'), new Float32Array(elements(b)));
  });
  return values;
}

/** A prefix adapter's layout; nothing is in its variables yet. `dropout` applies while training. */
export function prefixAdapter(model: ModelConfig, config: PrefixConfig, dropout: number): PrefixAdapter {
  const shapes = prefixShapes(model, config);
  const matrices = shapes.tensors.filter(({ shape }) => shape.length > 1);
  const biases = shapes.tensors.filter(({ shape }) => shape.length === 1);
  const groups = [flatGroup('adapter.prefix', matrices, { isMatrix: true })];
  if (biases.length > 0) groups.push(flatGroup('adapter.prefixBias', biases, { isMatrix: false }));
  return { kind: 'prefix', config, dropout, shapes, groups, frozen: [] };
}

/**
 * Initial values of a prefix encoder by their names, as torch's modules have them: the table from N(0, 1), weights and biases of the
 * projection from U(−1/√in, 1/√in).
 */
export function initialPrefix({ shapes }: PrefixAdapter, seed: number): Map<string, Float32Array> {
  return new Map(
    shapes.tensors.map(({ name, part, shape }, i) => {
      const random = new Random(seed, 0x70726566 + i);
      if (part === 'embedding')
        return [name, Float32Array.from({ length: elements(shape) }, () => random.normal())];
      const weight = shapes.tensors.find(
        (tensor) => tensor.part === (part.startsWith('inner') ? 'innerWeight' : 'outerWeight'),
      )!;
      const bound = 1 / Math.sqrt(weight.shape[1]);
      return [name, Float32Array.from({ length: elements(shape) }, () => (2 * random.uniform() - 1) * bound)];
    }),
  );
}
