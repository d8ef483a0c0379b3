/** LoRA and DoRA adapters in PEFT's format: `adapter_config.json` and `adapter_model.safetensors`. */
import path from 'node:path';
import { GlmError } from '../protocol/errors';
import { adapterConfigJson } from './adapterConfig';
import { writeDirectoryAtomic, writeJsonAtomic } from './atomic';
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from './adapterNames';
import { floatTensor } from './floatTensor';
import { loraShapes, loraTensors, loraTensorName, unknownTargets, type LoraShape } from './lora';
import { findProblems, throwProblems } from './modelDoctor';
import { writeSafetensors } from './safetensorsWriter';
import type { LoraConfig, ModelConfig, TensorReader, TensorToWrite } from './types';

export interface LoraFiles {
  kind: 'lora';
  directory: string;
  config: LoraConfig;
  /** Tensors by the names of `loraTensors`. */
  reader: TensorReader;
}

/**
 * Compares an adapter with the model it shall be put on.
 * @returns the layers it changes, in the order of the model; throws GlmError `checkpoint.unknownTarget`, `checkpoint.doesNotFit` with all
 *   problems
 */
export function checkLora({ config, directory, reader }: LoraFiles, model: ModelConfig): LoraShape[] {
  const shapes = loraShapes(model, config);
  const unknown = unknownTargets(model, config.target_modules);
  if (unknown.length > 0) {
    const file = path.join(directory, ADAPTER_CONFIG);
    throw new GlmError('checkpoint.unknownTarget', { path: file, target: unknown.join(', ') });
  }
  throwProblems(directory, findProblems(loraTensors(shapes), reader.tensors), 'adapter');
  return shapes;
}

/** The tensors of one adapted layer, row-major: A is `[r, in]`, B is `[out, r]`, DoRA's magnitude `[out]`. */
export interface LoraWeights extends Pick<LoraShape, 'module' | 'a' | 'b'> {
  aData: Float32Array;
  bData: Float32Array;
  magnitudeData?: Float32Array | null;
}

/** Reads the tensors of every adapted layer. */
export function readLora({ reader }: Pick<LoraFiles, 'reader'>, shapes: readonly LoraShape[]): LoraWeights[] {
  return shapes.map(({ module, a, b, magnitude }) => ({
    module,
    a,
    b,
    aData: reader.readFloat32(loraTensorName(module, 'A')),
    bData: reader.readFloat32(loraTensorName(module, 'B')),
    magnitudeData: magnitude && reader.readFloat32(loraTensorName(module, 'magnitude')),
  }));
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

function* adapterWeights(layers: Iterable<LoraWeights>): Iterable<TensorToWrite> {
  for (const { module, a, b, aData, bData, magnitudeData } of layers) {
    yield floatTensor(loraTensorName(module, 'A'), a, aData);
    yield floatTensor(loraTensorName(module, 'B'), b, bData);
    if (magnitudeData) {
      yield floatTensor(loraTensorName(module, 'magnitude'), [magnitudeData.length], magnitudeData);
    }
  }
}
