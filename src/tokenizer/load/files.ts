/** Bounded reading of the files beside a model. They are untrusted: none is read before its size is known. */
import { readFile, stat } from 'node:fs/promises';
import { GlmError } from '../../protocol/errors';

/** Real tokenizers are 1 to 20 MB. */
export const MAX_TOKENIZER_BYTES = 64 * 1024 * 1024;
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/**
 * Bytes of a file, or null if it does not exist or is no regular file; `tooLarge` instead of more than `limit` bytes.
 * Other failures of the system pass through.
 */
export async function readBounded(file: string, limit: number): Promise<Buffer | 'tooLarge' | null> {
  try {
    const found = await stat(file);
    if (!found.isFile()) return null;
    return found.size > limit ? 'tooLarge' : await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** Text of a file, or null if it is absent or too large to be what it should be. */
export async function readSmallFile(file: string): Promise<string | null> {
  const bytes = await readBounded(file, MAX_TEXT_BYTES);
  return bytes === null || bytes === 'tooLarge' ? null : bytes.toString('utf8');
}

/**
 * A JSON object; an absent file is an empty one.
 * @throws GlmError `tokenizer.invalidConfig` for anything else
 */
export async function readJsonObject(file: string): Promise<Record<string, unknown>> {
  const text = await readSmallFile(file);
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new GlmError('tokenizer.invalidConfig', { path: file, detail }, { cause: error });
  }
  throw new GlmError('tokenizer.invalidConfig', { path: file, detail: '{}' });
}
