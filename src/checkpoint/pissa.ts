/**
 * Adapters that began as the principal components of the weights (PiSSA, Meng et al. 2024). Trained values mean something only beside
 * the weights without those components; what is saved is their difference from the first values, for the original weights:
 * B A − B₀ A₀ = [B, B₀] [A; −A₀], of twice the rank.
 */
import type { LoraWeights } from './loraFiles';
import type { LoraConfig } from './types';

/** Settings of the difference: twice the rank under an alpha that keeps the factor of B·A. */
export function differenceConfig(config: LoraConfig): LoraConfig {
  const factor = config.use_rslora ? Math.SQRT2 : 2;
  const { r, lora_alpha, rank_pattern, alpha_pattern } = config;
  return {
    ...config,
    r: 2 * r,
    lora_alpha: lora_alpha * factor,
    ...(rank_pattern && { rank_pattern: scaled(rank_pattern, 2) }),
    ...(alpha_pattern && { alpha_pattern: scaled(alpha_pattern, factor) }),
  };
}

function scaled(pattern: Readonly<Record<string, number>>, factor: number): Record<string, number> {
  return Object.fromEntries(Object.entries(pattern).map(([key, value]) => [key, value * factor]));
}

type Factors = Pick<LoraWeights, 'aData' | 'bData'>;

/** The difference of a trained layer from its first values: A is `[2r, in]`, B is `[out, 2r]`. Magnitudes stay as they are. */
export function differenceLayer(trained: LoraWeights, first: Factors): LoraWeights {
  const [rank, inFeatures] = trained.a;
  const [outFeatures] = trained.b;
  const aData = new Float32Array(2 * trained.aData.length);
  aData.set(trained.aData);
  first.aData.forEach((value, i) => (aData[trained.aData.length + i] = -value));
  const bData = new Float32Array(2 * trained.bData.length);
  for (let row = 0; row < outFeatures; row++) {
    const [from, to] = [row * rank, row * 2 * rank];
    bData.set(trained.bData.subarray(from, from + rank), to);
    bData.set(first.bData.subarray(from, from + rank), to + rank);
  }
  return { ...trained, a: [2 * rank, inFeatures], b: [outFeatures, 2 * rank], aData, bData };
}
