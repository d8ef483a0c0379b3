/** A checkpoint directory in a few words, from its configuration alone. Free of `vscode`. */
import path from 'node:path';
import { findWeights } from '../checkpoint/checkpoint';
import { readConfig } from '../checkpoint/config';
import { familyName } from '../checkpoint/familyName';
import { readJsonObject } from '../checkpoint/json';
import { countParameters } from '../checkpoint/modelTensors';
import { isGlmError } from '../protocol/errors';

export interface ModelDirectory {
  /** Absolute path of the checkpoint directory. */
  path: string;
  name: string;
  /** The small model that ships with the extension. */
  practice: boolean;
  /** Such as `ChatGLM3`; of families that share a network and do not say which they are, all. */
  family: string;
  parameters: number;
  /** Bits of a weight where the checkpoint itself is quantised, else 0. */
  quantizationBit: number;
}

/**
 * Reads what a directory holds, whatever the family and the format of the weights.
 * Throws GlmError `checkpoint.*` for anything that no run could start from; the weights are looked for, not read.
 */
export function readModelDirectory(directory: string): ModelDirectory {
  const config = readConfig(directory);
  findWeights(directory);
  const { _name_or_path: published } = readJsonObject(path.join(directory, 'config.json'));
  const name = path.basename(directory);
  return {
    path: directory,
    name,
    practice: name === 'practice-model',
    family: familyName(config.architecture, [published, name]),
    parameters: countParameters(config),
    quantizationBit: 'quantization_bit' in config ? config.quantization_bit : 0,
  };
}

/** The same for a search: null where the directory holds no model of ours. */
export function modelIn(directory: string): ModelDirectory | null {
  try {
    return readModelDirectory(directory);
  } catch (error) {
    if (isGlmError(error) || (error as NodeJS.ErrnoException).syscall !== undefined) return null;
    throw error;
  }
}
