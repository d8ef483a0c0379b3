/** Reading of the small JSON files beside the weights. */
import fs from 'node:fs';
import { GlmError } from '../protocol/errors';
import { isTooDeep } from './jsonScan';
import { openRegularFile } from './tensorFiles';

/** An index of a model with 100 000 tensors has about 10 MB. */
const MAX_JSON_BYTES = 32 * 1024 * 1024;

/** Parses a file that must hold a JSON object. Throws GlmError with the file's path. */
export function readJsonObject(file: string): Record<string, unknown> {
  const text = readText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const detail = (error as Error).message.slice(0, 200);
    throw new GlmError('checkpoint.badJson', { path: file, detail }, { cause: error });
  }
  if (isTooDeep(text)) throw new GlmError('checkpoint.badJson', { path: file, detail: 'nesting' });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new GlmError('checkpoint.badJson', { path: file, detail: '' });
  }
  return value as Record<string, unknown>;
}

function readText(file: string): string {
  const descriptor = openRegularFile(file);
  try {
    const bytes = fs.fstatSync(descriptor).size;
    if (bytes > MAX_JSON_BYTES)
      throw new GlmError('checkpoint.badJson', { path: file, detail: `${bytes} B` });
    return fs.readFileSync(descriptor, 'utf8').replace(/^\uFEFF/, '');
  } finally {
    fs.closeSync(descriptor);
  }
}
