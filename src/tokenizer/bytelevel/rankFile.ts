import { GlmError, type ByteVocabularyProblem } from '../../protocol/errors';
import { ByteVocabulary } from './vocabulary';

/** More tokens than any model has; guards against lists that would fill the memory. */
export const MAX_TOKENS = 1 << 20;
/** Longest token in bytes; real ones have up to about 130. */
export const MAX_TOKEN_BYTES = 1024;
const MAX_LINE = 2048;
const LINE = /^((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?) (\d{1,9})$/;

/**
 * Reads GLM-4's `tokenizer.model`: tiktoken's lines of a token's bytes in base64 and its rank, which is its id.
 * @param path for the error only
 * @throws GlmError `tokenizer.invalidRanks`
 */
export function parseRankFile(file: Uint8Array, path: string): ByteVocabulary {
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const tokens: string[] = [];
  const seen = new Set<string>();
  const fail = (reason: ByteVocabularyProblem, line: number): GlmError =>
    new GlmError('tokenizer.invalidRanks', { path, reason, line });
  let line = 0;
  for (let start = 0; start < text.length;) {
    line++;
    const newline = text.indexOf(10, start);
    const end = newline < 0 ? text.length : newline;
    if (end - start > MAX_LINE) throw fail('malformed', line);
    const content = text.toString('latin1', start, end).trimEnd();
    start = end + 1;
    if (content === '') continue;
    const [, base64, rank] = LINE.exec(content) ?? [];
    if (base64 === undefined) throw fail('malformed', line);
    const id = Number(rank);
    if (id >= MAX_TOKENS) throw fail('tooMany', line);
    const bytes = Buffer.from(base64, 'base64').toString('latin1');
    if (bytes.length === 0 || bytes.length > MAX_TOKEN_BYTES) throw fail('malformed', line);
    if (tokens[id] !== undefined || seen.has(bytes)) throw fail('duplicate', line);
    seen.add(bytes);
    tokens[id] = bytes;
  }
  if (seen.size !== tokens.length) throw fail('holes', line);
  return makeVocabulary(tokens, () => fail('missingBytes', line));
}

/** A vocabulary, or the given error where a byte has no token. */
export function makeVocabulary(tokens: readonly string[], missingBytes: () => GlmError): ByteVocabulary {
  try {
    return new ByteVocabulary(tokens);
  } catch (error) {
    throw error instanceof RangeError ? missingBytes() : error;
  }
}
