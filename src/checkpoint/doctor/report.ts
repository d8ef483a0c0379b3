/** The model doctor: everything that can be said about a checkpoint directory without training on it. */
import fs from 'node:fs';
import path from 'node:path';
import { toErrorData, type ErrorData } from '../../protocol/errors';
import type { CodedFinding, MethodCount, ModelFinding, ModelReport } from '../../protocol/modelReport';
import { findWeights, openWeights } from '../checkpoint';
import { readConfig } from '../config';
import { isFloating } from '../dtype';
import { readJsonObject } from '../json';
import { countParameters } from '../modelTensors';
import { structureOf } from '../structure';
import type { WeightsReader } from '../tensorFiles';
import { countTrainable, type CountedMethod } from '../trainable';
import type { ModelConfig, StoredDType } from '../types';
import { dtypeFindings, mainDType, valuesByDType } from './dtypes';
import { generationFindings, rangeFindings, tokenizerFindings, type TokenizerFacts } from './tokens';
import { valueFindings } from './values';
import { weightFindings } from './weights';

export interface ExamineOptions {
  /** The tokenizer, or why it could not be loaded; null: not looked at. */
  tokenizer: TokenizerFacts | ErrorData | null;
  /** Read every value and look for those that are not finite. */
  readsValues?: boolean;
  /** Told the bytes read of `total` while values are read; returns false to stop. */
  progress?: (bytes: number, total: number) => void;
}

/** What the report counts trainable numbers for: THUDM's own settings. */
const COUNTED: readonly CountedMethod[] = [
  { type: 'lora', r: 8, target_modules: null },
  { type: 'lora', r: 8, target_modules: 'all-linear' },
  { type: 'ptuning_v2', pre_seq_len: 128, prefix_projection: false },
  { type: 'ptuning_v2', pre_seq_len: 128, prefix_projection: true },
  { type: 'full' },
];

/** Examines a model directory. Nothing is thrown for what is wrong with it: that is what the report is about. */
export async function examineModel(directory: string, options: ExamineOptions): Promise<ModelReport> {
  const report: ModelReport = {
    directory,
    ok: true,
    model: null,
    weights: null,
    tokenizer: null,
    methods: [],
    findings: [],
  };
  const config = attempt(report, () => readConfig(directory));
  if (config) {
    report.model = modelFacts(config);
    examineConfig(report, config, options.tokenizer);
    await examineWeights(report, config, options);
    const isPacked = report.weights ? holdsIntegers(report.weights) : quantizationBits(config) > 0;
    report.methods = COUNTED.filter(({ type }) => type !== 'full' || !isPacked).map((method) =>
      methodCount(config, method),
    );
    examineTokenizer(report, config, options.tokenizer);
  }
  report.findings.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  report.ok = !report.findings.some(({ severity }) => severity === 'error');
  return report;
}

const ORDER: readonly ModelFinding['severity'][] = ['error', 'warning', 'note'];

/** Whether configuration and tokenizer fit. Throws GlmError for files that cannot be read. */
export function tokenFindings(directory: string, config: ModelConfig, facts: TokenizerFacts): CodedFinding[] {
  const json = readJsonObject(path.join(directory, 'config.json'));
  const tokenizerConfig = readOptional(directory, 'tokenizer_config.json') ?? {};
  return [
    ...rangeFindings(json, 'config.json', structureOf(config).vocabSize),
    ...tokenizerFindings(config, json, tokenizerConfig, facts),
  ];
}

/** Runs a step of the examination; what it throws becomes a finding. */
function attempt<T>(report: ModelReport, step: () => T): T | null {
  try {
    return step();
  } catch (error) {
    report.findings.push(failed(error));
    return null;
  }
}

function failed(error: unknown): ModelFinding {
  return { severity: 'error', code: 'failed', error: toErrorData(error) };
}

function examineConfig(
  report: ModelReport,
  config: ModelConfig,
  tokenizer: ExamineOptions['tokenizer'],
): void {
  attempt(report, () => {
    const rows = structureOf(config).vocabSize;
    const json = readJsonObject(path.join(report.directory, 'config.json'));
    report.findings.push(...keyFindings(json));
    // With a tokenizer the ids of config.json are looked at beside it.
    if (!tokenizer || 'code' in tokenizer) report.findings.push(...rangeFindings(json, 'config.json', rows));
    const name = 'generation_config.json';
    const generation = readOptional(report.directory, name);
    if (!generation) return;
    report.findings.push(...rangeFindings(generation, name, rows), ...generationFindings(json, generation));
  });
}

/** Keys that repeat another one, as GLM-4-9B's do. */
const TWINS = [
  ['num_layers', 'num_hidden_layers'],
  ['padded_vocab_size', 'vocab_size'],
] as const;

function keyFindings(json: Readonly<Record<string, unknown>>): ModelFinding[] {
  return TWINS.flatMap(([first, second]): ModelFinding[] => {
    const [firstValue, secondValue] = [json[first], json[second]];
    if (typeof firstValue !== 'number' || typeof secondValue !== 'number') return [];
    if (firstValue === secondValue) return [];
    return [{ severity: 'warning', code: 'keysDisagree', args: { first, firstValue, second, secondValue } }];
  });
}

function readOptional(directory: string, name: string): Record<string, unknown> | null {
  const file = path.join(directory, name);
  return fs.existsSync(file) ? readJsonObject(file) : null;
}

async function examineWeights(
  report: ModelReport,
  config: ModelConfig,
  options: ExamineOptions,
): Promise<void> {
  const reader = attempt(report, () => openWhole(report));
  if (!reader) return;
  try {
    report.weights = weightFacts(config, reader);
    const json = readJsonObject(path.join(report.directory, 'config.json'));
    report.findings.push(...weightFindings(config, reader), ...dtypeFindings(config, json, reader.tensors));
    if (options.readsValues) report.findings.push(...(await readValues(reader, options)));
  } catch (error) {
    report.findings.push(failed(error));
  } finally {
    reader.close();
  }
}

/** Null where shards are missing: the report names all of them. */
function openWhole(report: ModelReport): WeightsReader | null {
  const { files, index } = findWeights(report.directory);
  const missing = index ? files.filter((file) => !fs.existsSync(file)) : [];
  for (const file of missing) {
    const args = { shard: path.basename(file), index: path.basename(index?.file ?? '') };
    report.findings.push({ severity: 'error', code: 'missingShard', args });
  }
  return missing.length > 0 ? null : openWeights(report.directory);
}

async function readValues(reader: WeightsReader, { progress }: ExamineOptions): Promise<ModelFinding[]> {
  let total = 0;
  for (const { byteLength } of reader.tensors.values()) total += byteLength;
  return valueFindings(reader, (bytes) => progress?.(bytes, total));
}

function examineTokenizer(
  report: ModelReport,
  config: ModelConfig,
  tokenizer: ExamineOptions['tokenizer'],
): void {
  if (tokenizer === null) return;
  if ('code' in tokenizer) {
    report.findings.push({ severity: 'error', code: 'failed', error: tokenizer });
    return;
  }
  report.tokenizer = { tokens: tokenizer.tokens, template: tokenizer.template };
  attempt(report, () => report.findings.push(...tokenFindings(report.directory, config, tokenizer)));
}

function modelFacts(config: ModelConfig): NonNullable<ModelReport['model']> {
  const { architecture, layers, hiddenSize, vocabSize, maxLength } = structureOf(config);
  return {
    architecture,
    parameters: countParameters(config),
    layers,
    hidden_size: hiddenSize,
    vocabulary_rows: vocabSize,
    context_length: maxLength,
    quantization_bit: quantizationBits(config),
  };
}

function quantizationBits(config: ModelConfig): number {
  return 'quantization_bit' in config ? config.quantization_bit : 0;
}

/** Whether weights are stored quantised, whatever the configuration says: such cannot be trained themselves. */
function holdsIntegers(weights: NonNullable<ModelReport['weights']>): boolean {
  return Object.keys(weights.values_by_dtype).some((dtype) => !isFloating(dtype as StoredDType));
}

function weightFacts(config: ModelConfig, reader: WeightsReader): NonNullable<ModelReport['weights']> {
  const counts = valuesByDType(config, reader.tensors);
  return {
    format: reader.files[0]?.format ?? 'safetensors',
    files: reader.files.length,
    bytes: reader.files.reduce((sum, { bytes }) => sum + bytes, 0),
    tensors: reader.tensors.size,
    dtype: mainDType(counts) ?? '',
    values_by_dtype: Object.fromEntries(counts),
  };
}

function methodCount(config: ModelConfig, method: CountedMethod): MethodCount {
  const { trainable } = countTrainable(config, method);
  switch (method.type) {
    case 'lora': {
      const targets = method.target_modules ?? structureOf(config).defaultTargets;
      const text = typeof targets === 'string' ? targets : targets.join(', ');
      return { method: 'lora', settings: { r: method.r, target_modules: text }, trainable };
    }
    case 'ptuning_v2': {
      const { pre_seq_len, prefix_projection } = method;
      return { method: 'ptuning_v2', settings: { pre_seq_len, prefix_projection }, trainable };
    }
    case 'full':
      return { method: 'full', settings: {}, trainable };
  }
}
