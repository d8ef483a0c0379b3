/** How an adapter's tensors enter a forward pass. */
import { loraScale, loraTensorName } from '../../checkpoint/lora';
import { prefixTensorName, type PrefixPart } from '../../checkpoint/prefix';
import type { Ops, Value } from '../backend/ops';
import type { LoraWeights } from '../nn/lora';
import { prefixKeyValues, type PrefixEncoder, type PrefixKeyValues } from '../nn/prefix';
import type { ComputeDType } from '../types';
import { initialName, type AdapterValues, type LoraAdapter, type PrefixAdapter } from './residentAdapter';

/** The tensors of each adapted linear layer in the compute dtype; `seed` int32 [2] drops values, null does not. */
export function bindLora(
  ops: Ops,
  { config, shapes, frozen }: LoraAdapter,
  values: AdapterValues,
  dtype: ComputeDType,
  seed: Value | null,
): Map<string, LoraWeights> {
  const rate = config.lora_dropout;
  return new Map(
    shapes.map(({ module, magnitude }, i) => {
      const matrix = (name: string): Value => ops.cast(values.get(name)!, dtype);
      const [a, b] = [loraTensorName(module, 'A'), loraTensorName(module, 'B')];
      const weights: LoraWeights = {
        a: matrix(a),
        b: matrix(b),
        initial: frozen.length > 0 ? { a: matrix(initialName(a)), b: matrix(initialName(b)) } : null,
        magnitude: magnitude && values.get(loraTensorName(module, 'magnitude'))!,
        scale: loraScale(config, module),
        dropout: seed && rate > 0 ? { rate, seed: streamSeed(ops, seed, i) } : null,
      };
      return [module, weights];
    }),
  );
}

/** The prefix of every layer, for `batch` rows. */
export function bindPrefix(
  ops: Ops,
  { config, shapes, dropout: rate }: PrefixAdapter,
  values: AdapterValues,
  { dtype, batch, seed }: { dtype: ComputeDType; batch: number; seed: Value | null },
): PrefixKeyValues[] {
  const tensor = (part: PrefixPart): Value => values.get(prefixTensorName(config.variant, part))!;
  const encoder: PrefixEncoder = {
    embedding: tensor('embedding'),
    projection: config.prefix_projection
      ? {
          innerWeight: tensor('innerWeight'),
          innerBias: tensor('innerBias'),
          outerWeight: tensor('outerWeight'),
          outerBias: tensor('outerBias'),
        }
      : null,
  };
  const dropout = seed && rate > 0 ? { rate, seed } : null;
  const { layers, groups, headDim } = shapes;
  return prefixKeyValues(ops, encoder, { layers, groups, headDim, batch, dtype, dropout });
}

/** A seed of its own for each use of random numbers in a pass. */
function streamSeed(ops: Ops, seed: Value, stream: number): Value {
  return ops.add(seed, ops.constant(Int32Array.of(0, stream), [2], 'int32'));
}
