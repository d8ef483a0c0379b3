/** `config.json` of a checkpoint: detected, checked, defaults filled in. */
import fs from 'node:fs';
import path from 'node:path';
import { GlmError } from '../protocol/errors';
import { detectArchitecture, isInterpolated } from './architecture';
import { parseChatGlm } from './families/chatglm';
import { parseChatGlm2 } from './families/chatglm2';
import { Fields } from './families/fields';
import { parseGlm } from './families/glm';
import { readJsonObject } from './json';
import type { ModelConfig } from './types';

/** The original files have about 50 KB. */
const MAX_CODE_BYTES = 1 << 20;

/**
 * Reads the configuration of a checkpoint directory.
 * @returns the configuration; throws GlmError for a missing or broken file, an unsupported architecture or impossible values
 */
export function readConfig(directory: string): ModelConfig {
  if (!fs.existsSync(directory)) throw new GlmError('checkpoint.notFound', { path: directory });
  const file = path.join(directory, 'config.json');
  if (!fs.existsSync(file)) throw new GlmError('checkpoint.noConfig', { path: directory });
  return readConfigFile(file);
}

/** Every id that ends a text: `eos_token_id` is one of them or, from GLM-4 on, a list. Throws GlmError like `readConfig`. */
export function readEndIds(directory: string): number[] {
  const { eos_token_id: first } = readConfig(directory);
  const listed = readJsonObject(path.join(directory, 'config.json')).eos_token_id;
  const others = Array.isArray(listed) ? listed.filter((id) => Number.isSafeInteger(id) && id >= 0) : [];
  return [...new Set([...(first === null ? [] : [first]), ...(others as number[])])];
}

/** Reads a `config.json` wherever it lies; throws GlmError like `readConfig`. */
export function readConfigFile(file: string): ModelConfig {
  return parseConfig(readJsonObject(file), file, modellingCode(path.dirname(file)));
}

/**
 * Checks a parsed `config.json`.
 * @param file named in errors
 * @param code text of the `modeling_chatglm.py` beside it, which is searched and never run
 */
export function parseConfig(json: Readonly<Record<string, unknown>>, file: string, code = ''): ModelConfig {
  const architecture = detectArchitecture(json);
  const fields = new Fields(json, file);
  switch (architecture) {
    case 'chatglm':
      return parseChatGlm(fields);
    case 'chatglm2': {
      const names = [json._name_or_path, path.basename(path.dirname(file))];
      return parseChatGlm2(fields, isInterpolated(json, names, code));
    }
    case 'glm':
    case 'glm4':
      return parseGlm(fields, architecture);
    default: {
      const modelType = typeof json.model_type === 'string' ? json.model_type.slice(0, 80) : '';
      throw new GlmError('checkpoint.unsupportedArchitecture', { path: file, architecture, modelType });
    }
  }
}

/** The code that a checkpoint came with, as a hint; empty where there is none of a sane size. */
function modellingCode(directory: string): string {
  const file = path.join(directory, 'modeling_chatglm.py');
  const status = fs.statSync(file, { throwIfNoEntry: false });
  if (!status?.isFile() || status.size > MAX_CODE_BYTES) return '';
  return fs.readFileSync(file, 'utf8');
}
