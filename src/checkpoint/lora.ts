/** Which layers a LoRA adapter adds to, and the shapes of what it adds. */
import { elements } from './modelTensors';
import { structureOf, type LinearSpec } from './structure';
import type { ModelConfig } from './types';

export interface LoraShape extends LinearSpec {
  /** `[r, in]` */
  a: readonly [number, number];
  /** `[out, r]` */
  b: readonly [number, number];
}

/**
 * Linear layers that `targets` name. PEFT's rule: a target matches a module whose path equals it or ends with `.` and the
 * target, so `dense` does not match `dense_h_to_4h`.
 */
export function loraTargets(config: ModelConfig, targets: readonly string[]): LinearSpec[] {
  return targetable(config).filter(({ module }) => targets.some((target) => matches(module, target)));
}

/**
 * LoRA matrices of a model in the order of the layers.
 * @returns shapes; empty where no target matches
 */
export function loraShapes(config: ModelConfig, r: number, targets: readonly string[]): LoraShape[] {
  return loraTargets(config, targets).map((linear) => ({
    ...linear,
    a: [r, linear.inFeatures],
    b: [linear.outFeatures, r],
  }));
}

/** Number of trainable numbers of an adapter. */
export function countLoraParameters(shapes: readonly LoraShape[]): number {
  return shapes.reduce((sum, { a, b }) => sum + elements(a) + elements(b), 0);
}

/** Targets that match no layer of the model. */
export function unknownTargets(config: ModelConfig, targets: readonly string[]): string[] {
  const linears = targetable(config);
  return targets.filter((target) => !linears.some(({ module }) => matches(module, target)));
}

function targetable(config: ModelConfig): readonly LinearSpec[] {
  return structureOf(config).linears;
}

function matches(module: string, target: string): boolean {
  return module === target || module.endsWith(`.${target}`);
}
