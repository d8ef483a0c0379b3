/**
 * LoRA adapters of GLM-4-9B between its two layouts: the original code's fused `query_key_value` and the `q_proj`, `k_proj`, `v_proj`
 * of `transformers`. The rows of the fused weight are those of the three, one block after the other; all other layers only change names.
 */
import { GlmError, type ConversionObstacle } from '../protocol/errors';
import { joinFused, splitFused, type Block } from './fusedLora';
import {
  loraAlpha,
  loraScale,
  loraShapes,
  loraTensorName,
  loraTensors,
  shapesOf,
  type LoraShape,
} from './lora';
import { readLora, type LoraFiles, type LoraWeights } from './loraFiles';
import { findProblems, throwProblems } from './modelDoctor';
import { structureOf, type LinearSpec, type ModelStructure } from './structure';
import type { LoraConfig, ModelConfig } from './types';

/** Names inside a layer: the query, key and value projections, and the other linear layers in one order. */
const FUSED = {
  prefix: 'transformer.encoder.layers',
  projections: ['self_attention.query_key_value'],
  others: ['self_attention.dense', 'mlp.dense_h_to_4h', 'mlp.dense_4h_to_h'],
} as const;
const SPLIT = {
  prefix: 'model.layers',
  projections: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  others: ['self_attn.o_proj', 'mlp.gate_up_proj', 'mlp.down_proj'],
} as const;
const CHATGLM = /^transformer\.layers\.\d+\.attention\.query_key_value$/;
const BASE = 'base_model.model.';

type Layout = typeof FUSED | typeof SPLIT;
type Refuse = (reason: ConversionObstacle, detail: string) => never;

export interface ConvertedAdapter {
  config: LoraConfig;
  layers: LoraWeights[];
}

/** A converted layer with the `lora_alpha` it needs. */
interface ScaledLora {
  weights: LoraWeights;
  alpha: number;
}

/**
 * Rewrites an adapter for a model in the other layout; the model computes the same numbers. Fused to split, the three share A. Split to
 * fused, A holds the rows of all three and B their blocks, unless they share A already. Throws GlmError `adapter.notConvertible` where
 * that would not be exact, `checkpoint.doesNotFit` where the adapter belongs to another model.
 */
export function convertAdapter(files: LoraFiles, model: ModelConfig): ConvertedAdapter {
  const refuse: Refuse = (reason, detail) => {
    throw new GlmError('adapter.notConvertible', { path: files.directory, reason, detail });
  };
  const modules = adaptedModules(files);
  const chatglm = modules.find((module) => CHATGLM.test(module));
  if (chatglm !== undefined) refuse('chatglmLayout', chatglm);
  const target = targetLayout(model, refuse);
  const source = target === FUSED ? SPLIT : FUSED;
  const odd = modules.find((module) => !isOf(module, source));
  if (odd !== undefined) refuse(isOf(odd, target) ? 'sameLayout' : 'module', odd);
  const shapes = sourceShapes(files, structureOf(model), source);
  throwProblems(files.directory, findProblems(loraTensors(shapes), files.reader.tensors), 'adapter');
  const layers = new Map(readLora(files, shapes).map((weights) => [weights.module, weights]));
  const converted = source === FUSED ? split(files, layers, model) : fuse(files, layers, model, refuse);
  return {
    config: describe(files.config, converted, model),
    layers: converted.map(({ weights }) => weights),
  };
}

function targetLayout(model: ModelConfig, refuse: Refuse): Layout {
  const { heads, groups } = structureOf(model);
  if (model.architecture === 'chatglm2') {
    if (!model.multi_query_attention) refuse('perHeadLayout', 'multi_query_attention: false');
    return FUSED;
  }
  if (model.architecture !== 'glm') refuse('noCounterpart', model.architecture);
  // The original code lays such projections out head by head.
  if (groups === heads) refuse('perHeadLayout', `num_key_value_heads: ${groups}`);
  return SPLIT;
}

/** Modules of an adapter file, in its order. */
function adaptedModules({ reader }: LoraFiles): string[] {
  const ending = loraTensorName('', 'A').slice(BASE.length);
  return [...reader.tensors.keys()]
    .filter((name) => name.startsWith(BASE) && name.endsWith(ending))
    .map((name) => name.slice(BASE.length, -ending.length));
}

function isOf(module: string, { prefix, projections, others }: Layout): boolean {
  const match = /^(.*)\.\d+\.([^.]+\.[^.]+)$/.exec(module);
  return match?.[1] === prefix && [...projections, ...others].some((name) => name === match[2]);
}

/** Rows of query, key and value. */
function blockRows({ heads, groups, headDim }: ModelStructure): number[] {
  return [heads * headDim, groups * headDim, groups * headDim];
}

function blocksOf(structure: ModelStructure, layer: number): Block[] {
  const rows = blockRows(structure);
  return SPLIT.projections.map((name, i) => ({ module: `${SPLIT.prefix}.${layer}.${name}`, rows: rows[i] }));
}

/** Shapes of the layers that the adapter changes, as the target model would have them in the adapter's layout. */
function sourceShapes({ config, reader }: LoraFiles, target: ModelStructure, source: Layout): LoraShape[] {
  const rows = blockRows(target);
  const outputs = source === FUSED ? [rows.reduce((sum, count) => sum + count, 0)] : rows;
  const opposite = source === FUSED ? SPLIT : FUSED;
  const sizes = new Map(target.linears.map((linear) => [linear.module, linear]));
  const linears = Array.from({ length: target.layers }, (_, layer): LinearSpec[] => [
    ...source.projections.map((name, i) => ({
      module: `${source.prefix}.${layer}.${name}`,
      inFeatures: target.hiddenSize,
      outFeatures: outputs[i],
      bias: false,
    })),
    ...source.others.map((name, i) => ({
      ...sizes.get(`${opposite.prefix}.${layer}.${opposite.others[i]}`)!,
      module: `${source.prefix}.${layer}.${name}`,
    })),
  ]).flat();
  const adapted = linears.filter(({ module }) => reader.tensors.has(loraTensorName(module, 'A')));
  return shapesOf(adapted, config);
}

type Layers = ReadonlyMap<string, LoraWeights>;

function split({ config }: LoraFiles, layers: Layers, model: ModelConfig): ScaledLora[] {
  const structure = structureOf(model);
  return Array.from({ length: structure.layers }, (_, layer) => {
    const name = `${FUSED.prefix}.${layer}.${FUSED.projections[0]}`;
    const fused = layers.get(name);
    const parts = fused ? splitFused(fused, blocksOf(structure, layer)) : [];
    return [
      ...parts.map((weights) => ({ weights, alpha: loraAlpha(config, name) })),
      ...renamed(config, layers, layer, FUSED, SPLIT),
    ];
  }).flat();
}

function fuse({ config }: LoraFiles, layers: Layers, model: ModelConfig, refuse: Refuse): ScaledLora[] {
  const structure = structureOf(model);
  return Array.from({ length: structure.layers }, (_, layer) => {
    const blocks = blocksOf(structure, layer);
    const parts = blocks.map(({ module }) => layers.get(module) ?? null);
    const fused = parts.some((part) => part !== null)
      ? [joined(config, `${FUSED.prefix}.${layer}.${FUSED.projections[0]}`, blocks, parts, refuse)]
      : [];
    return [...fused, ...renamed(config, layers, layer, SPLIT, FUSED)];
  }).flat();
}

function joined(
  config: LoraConfig,
  module: string,
  blocks: readonly Block[],
  parts: readonly (LoraWeights | null)[],
  refuse: Refuse,
): ScaledLora {
  const present = parts.filter((part) => part !== null);
  const first = present[0];
  const scale = loraScale(config, first.module);
  if (present.some((part) => loraScale(config, part.module) !== scale)) refuse('scale', module);
  // The magnitude of an untouched projection is the length of the model's own rows, which are not at hand.
  if (config.use_dora && present.length < parts.length) refuse('doraPart', module);
  const weights = joinFused(module, blocks, parts);
  const growth = weights.a[0] / first.a[0];
  const alpha = loraAlpha(config, first.module) * (config.use_rslora ? Math.sqrt(growth) : growth);
  return { weights, alpha };
}

/** Layers that only change their names. */
function renamed(
  config: LoraConfig,
  layers: Layers,
  layer: number,
  source: Layout,
  target: Layout,
): ScaledLora[] {
  return source.others.flatMap((name, i) => {
    const weights = layers.get(`${source.prefix}.${layer}.${name}`);
    if (!weights) return [];
    const module = `${target.prefix}.${layer}.${target.others[i]}`;
    return [{ weights: { ...weights, module }, alpha: loraAlpha(config, weights.module) }];
  });
}

/** The shortest configuration: names where a kind of layer is adapted in every layer, ranks and alphas of their own where they differ. */
function describe(config: LoraConfig, layers: readonly ScaledLora[], model: ModelConfig): LoraConfig {
  const rest = { ...config };
  delete rest.rank_pattern;
  delete rest.alpha_pattern;
  const common = layers.find(({ weights }) => weights.a[0] === config.r) ?? layers[0];
  const described: LoraConfig = {
    ...rest,
    r: common?.weights.a[0] ?? config.r,
    lora_alpha: common?.alpha ?? config.lora_alpha,
    target_modules: targetNames(layers, model),
  };
  const different = layers.filter(
    ({ weights, alpha }) => weights.a[0] !== described.r || alpha !== described.lora_alpha,
  );
  if (different.length === 0) return described;
  return {
    ...described,
    rank_pattern: patternOf(layers, different, ({ weights }) => weights.a[0]),
    alpha_pattern: patternOf(layers, different, ({ alpha }) => alpha),
  };
}

function ending(module: string): string {
  return module.slice(module.lastIndexOf('.') + 1);
}

function targetNames(layers: readonly ScaledLora[], model: ModelConfig): string[] {
  const names = [...new Set(layers.map(({ weights }) => ending(weights.module)))];
  const covered =
    loraShapes(model, { r: 1, use_dora: false, target_modules: names }).length === layers.length;
  return covered ? names : layers.map(({ weights }) => weights.module);
}

/** By the end of the path where all layers of that name agree, else by the whole path. */
function patternOf(
  layers: readonly ScaledLora[],
  different: readonly ScaledLora[],
  value: (layer: ScaledLora) => number,
): Record<string, number> {
  return Object.fromEntries(
    different.map((layer) => {
      const name = ending(layer.weights.module);
      const alike = layers
        .filter(({ weights }) => ending(weights.module) === name)
        .every((other) => value(other) === value(layer));
      return [alike ? name : layer.weights.module.replaceAll('.', '\\.'), value(layer)];
    }),
  );
}
