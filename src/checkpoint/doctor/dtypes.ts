/** Findings about the number formats of a checkpoint. */
import type { ModelFinding } from '../../protocol/modelReport';
import { isFloating } from '../dtype';
import { elements } from '../modelTensors';
import { structureOf } from '../structure';
import type { ModelConfig, StoredDType, TensorEntry } from '../types';

/** As `torch_dtype` of a configuration names them. */
const TORCH_NAMES: Readonly<Record<string, StoredDType>> = {
  float16: 'F16',
  bfloat16: 'BF16',
  float32: 'F32',
  float64: 'F64',
};

/** Number of values per format, of the tensors the model has. */
export function valuesByDType(
  config: ModelConfig,
  tensors: ReadonlyMap<string, TensorEntry>,
): Map<StoredDType, number> {
  const counts = new Map<StoredDType, number>();
  for (const { dtype, shape } of modelEntries(config, tensors)) {
    counts.set(dtype, (counts.get(dtype) ?? 0) + elements(shape));
  }
  return counts;
}

/** The format of most values; null where there are none. */
export function mainDType(counts: ReadonlyMap<StoredDType, number>): StoredDType | null {
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}

/** @param json `config.json` as it was parsed */
export function dtypeFindings(
  config: ModelConfig,
  json: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, TensorEntry>,
): ModelFinding[] {
  return [...quantizationFindings(config, tensors), ...floatFindings(config, json, tensors)];
}

/** Where the configuration and the matrices disagree on whether the weights are quantised. */
function quantizationFindings(
  config: ModelConfig,
  tensors: ReadonlyMap<string, TensorEntry>,
): ModelFinding[] {
  const bits = 'quantization_bit' in config ? config.quantization_bit : 0;
  const stored = structureOf(config).linears.flatMap(({ module }) => tensors.get(`${module}.weight`) ?? []);
  const integers = stored.filter(({ dtype }) => !isFloating(dtype)).length;
  const [first] = stored;
  // Some of each kind is damage, which is named tensor by tensor.
  if (first === undefined || integers !== (bits > 0 ? 0 : stored.length)) return [];
  const args = { key: 'quantization_bit', configured: String(bits), stored: first.dtype };
  return [{ severity: 'note', code: 'dtypeDiffers', args }];
}

function floatFindings(
  config: ModelConfig,
  json: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, TensorEntry>,
): ModelFinding[] {
  const floating = modelEntries(config, tensors).filter(({ dtype }) => isFloating(dtype));
  const matrices = floating.filter(({ shape }) => shape.length > 1);
  if (formats(matrices).size > 1) {
    return [{ severity: 'warning', code: 'mixedDTypes', args: { formats: formatText(matrices) } }];
  }
  const findings: ModelFinding[] = [];
  if (formats(floating).size > 1) {
    findings.push({ severity: 'note', code: 'mixedSmallDTypes', args: { formats: formatText(floating) } });
  }
  const key = typeof json.torch_dtype === 'string' ? 'torch_dtype' : 'dtype';
  const configured = json[key];
  const stored = matrices[0]?.dtype;
  if (typeof configured !== 'string' || !Object.hasOwn(TORCH_NAMES, configured)) return findings;
  if (stored !== undefined && TORCH_NAMES[configured] !== stored) {
    findings.push({ severity: 'note', code: 'dtypeDiffers', args: { key, configured, stored } });
  }
  return findings;
}

function modelEntries(config: ModelConfig, tensors: ReadonlyMap<string, TensorEntry>): TensorEntry[] {
  return structureOf(config).tensors.flatMap(({ name }) => tensors.get(name) ?? []);
}

function formats(entries: readonly TensorEntry[]): Map<StoredDType, number> {
  const counts = new Map<StoredDType, number>();
  for (const { dtype } of entries) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  return counts;
}

/** Such as `F16 (196), F32 (57)`. */
function formatText(entries: readonly TensorEntry[]): string {
  return [...formats(entries)]
    .sort(([, a], [, b]) => b - a)
    .map(([dtype, count]) => `${dtype} (${count})`)
    .join(', ');
}
