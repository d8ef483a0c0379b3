/** Which layers a LoRA adapter adds to, and the names and shapes of what it adds. */
import { GlmError } from '../protocol/errors';
import { elements } from './modelTensors';
import { compileModulePattern, ModulePatternError, patternBudget } from './modulePattern';
import { structureOf, type LinearSpec, type TensorSpec } from './structure';
import type { LoraConfig, ModelConfig } from './types';

/** PEFT's name for every linear layer of the blocks. */
export const ALL_LINEAR = 'all-linear';

/** Null: the family's attention projections; a text: `all-linear` or a regular expression; a list: ends of module paths. */
export type TargetModules = readonly string[] | string | null;

/** What the shapes of an adapter depend on. */
export type LoraSizes = Pick<LoraConfig, 'r' | 'rank_pattern' | 'use_dora'> & {
  target_modules: TargetModules;
};

export interface LoraShape extends LinearSpec {
  /** `[r, in]` */
  a: readonly [number, number];
  /** `[out, r]` */
  b: readonly [number, number];
  /** `[out]` with DoRA */
  magnitude: readonly [number] | null;
}

export type LoraPart = 'A' | 'B' | 'magnitude';

const SUFFIX: Readonly<Record<LoraPart, string>> = {
  A: 'lora_A.weight',
  B: 'lora_B.weight',
  magnitude: 'lora_magnitude_vector',
};

/** Name in an adapter file of LoRA's A or B matrix, or DoRA's magnitude, of the linear layer `module`. */
export function loraTensorName(module: string, part: LoraPart): string {
  return `base_model.model.${module}.${SUFFIX[part]}`;
}

/**
 * Linear layers that `targets` name. PEFT's rules: a name of a list matches a module whose path equals it or ends with `.` and the
 * name, so `dense` does not match `dense_h_to_4h`; a text is a regular expression over the whole path.
 * Throws GlmError `adapter.badPattern`.
 */
export function loraTargets(config: ModelConfig, targets: TargetModules): LinearSpec[] {
  const { linears, defaultTargets } = structureOf(config);
  const wanted = targets ?? defaultTargets;
  if (typeof wanted !== 'string') {
    return linears.filter(({ module }) => wanted.some((target) => endsWith(module, target)));
  }
  if (wanted.toLowerCase() === ALL_LINEAR) return [...linears];
  const fits = pattern(wanted);
  return linears.filter(({ module }) => fits(module));
}

/**
 * The names an adapter's configuration lists, from what a run file may say.
 * @returns ends of module paths, so that they hold for every layer
 */
export function targetNames(
  config: ModelConfig,
  targets: readonly string[] | typeof ALL_LINEAR | null,
): string[] {
  const { linears, defaultTargets } = structureOf(config);
  if (targets === null) return [...defaultTargets];
  if (typeof targets !== 'string') return [...new Set(targets)];
  return [...new Set(linears.map(({ module }) => module.slice(module.lastIndexOf('.') + 1)))];
}

/**
 * LoRA matrices of a model in the order of the layers.
 * @returns shapes; empty where no target matches. Throws GlmError `adapter.badPattern`
 */
export function loraShapes(config: ModelConfig, lora: LoraSizes): LoraShape[] {
  return shapesOf(loraTargets(config, lora.target_modules), lora);
}

/** The same for given layers. */
export function shapesOf(
  linears: readonly LinearSpec[],
  lora: Omit<LoraSizes, 'target_modules'>,
): LoraShape[] {
  const rankOf = byPattern(lora.rank_pattern, lora.r);
  return linears.map((linear) => {
    const rank = rankOf(linear.module);
    return {
      ...linear,
      a: [rank, linear.inFeatures],
      b: [linear.outFeatures, rank],
      magnitude: lora.use_dora ? [linear.outFeatures] : null,
    };
  });
}

/** The tensors of an adapter as its file holds them: A, B and magnitude, layer by layer. */
export function loraTensors(shapes: readonly LoraShape[]): TensorSpec[] {
  return shapes.flatMap(({ module, a, b, magnitude }) => [
    { name: loraTensorName(module, 'A'), shape: a },
    { name: loraTensorName(module, 'B'), shape: b },
    ...(magnitude ? [{ name: loraTensorName(module, 'magnitude'), shape: magnitude }] : []),
  ]);
}

/** Number of trainable numbers of an adapter. */
export function countLoraParameters(shapes: readonly LoraShape[]): number {
  return loraTensors(shapes).reduce((sum, { shape }) => sum + elements(shape), 0);
}

/**
 * Factor of `B·A`: lora_alpha / r, or lora_alpha / √r with rank stabilisation.
 * @param module the layer, for adapters with ranks or alphas of their own
 */
export function loraScale(
  config: Pick<LoraConfig, 'r' | 'lora_alpha' | 'use_rslora' | 'rank_pattern' | 'alpha_pattern'>,
  module?: string,
): number {
  const rank = module === undefined ? config.r : byPattern(config.rank_pattern, config.r)(module);
  const alpha = module === undefined ? config.lora_alpha : loraAlpha(config, module);
  return alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
}

/** `lora_alpha` of a layer. */
export function loraAlpha(config: Pick<LoraConfig, 'lora_alpha' | 'alpha_pattern'>, module: string): number {
  return byPattern(config.alpha_pattern, config.lora_alpha)(module);
}

/** Targets that match no layer of the model. */
export function unknownTargets(config: ModelConfig, targets: TargetModules): string[] {
  if (targets === null) return [];
  if (typeof targets === 'string') return loraTargets(config, targets).length === 0 ? [targets] : [];
  const { linears } = structureOf(config);
  return targets.filter((target) => !linears.some(({ module }) => endsWith(module, target)));
}

/** Names that `target_modules` can hold: the last parts of the paths of the blocks' linear layers, each once. */
export function targetableNames(config: ModelConfig): string[] {
  const names = structureOf(config).linears.map(({ module }) => module.slice(module.lastIndexOf('.') + 1));
  return [...new Set(names)];
}

function endsWith(module: string, target: string): boolean {
  return module === target || module.endsWith(`.${target}`);
}

/** The value of the first key, in the order of the file, that fits the end of a module path. */
function byPattern(
  values: Readonly<Record<string, number>> | undefined,
  fallback: number,
): (module: string) => number {
  const budget = patternBudget();
  const rules = Object.entries(values ?? {}).map(([key, value]) => ({
    fits: pattern(key, `(.*\\.)?(${key})`, budget),
    value,
  }));
  return (module) => rules.find(({ fits }) => fits(module))?.value ?? fallback;
}

/** `shown` is the pattern as the user wrote it. */
function pattern(shown: string, expression = shown, budget = patternBudget()): (module: string) => boolean {
  const named = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ModulePatternError)) throw error;
      throw new GlmError('adapter.badPattern', { pattern: shown.slice(0, 200), detail: error.message });
    }
  };
  const fits = named(() => compileModulePattern(expression, budget));
  return (module) => named(() => fits(module));
}
