/** LoRA adapters in PEFT's format: `adapter_config.json` and `adapter_model.safetensors`. */
import fs from 'node:fs';
import path from 'node:path';
import { GlmError } from '../protocol/errors';
import { adapterConfigJson, parseAdapterConfig } from './adapterConfig';
import { writeDirectoryAtomic, writeJsonAtomic } from './atomic';
import { readJsonObject } from './json';
import { loraShapes, unknownTargets, type LoraShape } from './lora';
import { findProblems, throwProblems } from './modelDoctor';
import type { TensorSpec } from './modelTensors';
import { openSafetensors } from './safetensors';
import { writeSafetensors } from './safetensorsWriter';
import type { LoraConfig, ModelConfig, TensorReader } from './types';

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';

export interface Adapter {
  directory: string;
  config: LoraConfig;
  reader: TensorReader;
}

/** Name in an adapter file of LoRA's A or B matrix of the linear layer `module`. */
export function loraTensorName(module: string, matrix: 'A' | 'B'): string {
  return `base_model.model.${module}.lora_${matrix}.weight`;
}

/** Factor of `B·A`: lora_alpha / r, or lora_alpha / √r with rank stabilisation. */
export function loraScale(config: Pick<LoraConfig, 'r' | 'lora_alpha' | 'use_rslora'>): number {
  return config.lora_alpha / (config.use_rslora ? Math.sqrt(config.r) : config.r);
}

/**
 * Opens an adapter directory.
 * @returns configuration and an open reader (`reader.close()` when done); throws GlmError, by name for PEFT features that
 *   the engine does not have
 */
export function openAdapter(directory: string): Adapter {
  const configFile = path.join(directory, ADAPTER_CONFIG);
  const weights = path.join(directory, ADAPTER_WEIGHTS);
  if (!fs.existsSync(configFile) || !fs.existsSync(weights)) {
    throw new GlmError('checkpoint.noAdapter', { path: directory });
  }
  const config = parseAdapterConfig(readJsonObject(configFile), configFile);
  return { directory, config, reader: openSafetensors([weights]) };
}

/**
 * Compares an adapter with the model it shall be put on.
 * @returns the layers it changes, in the order of the model; throws GlmError `checkpoint.doesNotFit` with all problems
 */
export function checkAdapter(adapter: Adapter, model: ModelConfig): LoraShape[] {
  const { config, directory, reader } = adapter;
  const shapes = loraShapes(model, config.r, config.target_modules);
  const unknown = unknownTargets(model, config.target_modules);
  if (unknown.length > 0) {
    const file = path.join(directory, ADAPTER_CONFIG);
    throw new GlmError('checkpoint.unknownTarget', { path: file, target: unknown.join(', ') });
  }
  throwProblems(directory, findProblems(adapterTensors(shapes), reader.tensors));
  return shapes;
}

function adapterTensors(shapes: readonly LoraShape[]): TensorSpec[] {
  return shapes.flatMap(({ module, a, b }) => [
    { name: loraTensorName(module, 'A'), shape: a },
    { name: loraTensorName(module, 'B'), shape: b },
  ]);
}

/** The matrices of one adapted layer, row-major: A is `[r, in]`, B is `[out, r]`. */
export interface LoraWeights extends Pick<LoraShape, 'module' | 'a' | 'b'> {
  aData: Float32Array;
  bData: Float32Array;
}

/**
 * Writes an adapter directory that `PeftModel.from_pretrained` loads. An adapter that is there already is replaced only when
 * the new one is complete.
 * @param beside further files of the directory, written before it gets its name
 */
export function writeAdapter(
  directory: string,
  config: LoraConfig,
  layers: Iterable<LoraWeights>,
  beside?: (temporary: string) => void,
): void {
  writeDirectoryAtomic(directory, (temporary) => {
    writeSafetensors(path.join(temporary, ADAPTER_WEIGHTS), adapterWeights(layers));
    writeJsonAtomic(path.join(temporary, ADAPTER_CONFIG), adapterConfigJson(config));
    beside?.(temporary);
  });
}

function* adapterWeights(layers: Iterable<LoraWeights>) {
  for (const { module, a, b, aData, bData } of layers) {
    yield { name: loraTensorName(module, 'A'), dtype: 'F32' as const, shape: [...a], data: bytesOf(aData) };
    yield { name: loraTensorName(module, 'B'), dtype: 'F32' as const, shape: [...b], data: bytesOf(bData) };
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
