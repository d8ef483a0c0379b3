/** Counts over the parameters of a model. */
import { structureOf, type TensorSpec } from './structure';
import type { ModelConfig } from './types';

export type { LinearSpec, TensorSpec } from './structure';

/** Parameters of a model, embedding first, in the order of the layers. */
export function modelTensors(config: ModelConfig): readonly TensorSpec[] {
  return structureOf(config).tensors;
}

/** Number of trainable numbers of the whole model; a tied output layer counts once. */
export function countParameters(config: ModelConfig): number {
  return modelTensors(config).reduce((sum, { shape }) => sum + elements(shape), 0);
}

export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
