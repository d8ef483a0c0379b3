import path from 'node:path';
import { GlmError } from '../../protocol/errors';
import { MAX_TOKENIZER_BYTES, readBounded, readJsonObject } from './files';
import type { TokenizerFiles, TokenizerKind } from './loader';

/** Names in the order they are looked for. A `tokenizer.json` beside a `tokenizer.model` is a copy made from it. */
const NAMES = ['ice_text.model', 'tokenizer.model', 'tokenizer.json'] as const;

/** In the Hugging Face layout `tokenizer.json` is the original. */
const JSON_FIRST = ['tokenizer.json', 'tokenizer.model'] as const;
const HF_MODEL_TYPES: readonly unknown[] = ['glm', 'glm4'];

/** Lines of "base64 rank". */
const RANKS = /^[A-Za-z0-9+/]+={0,2} \d+\r?\n/;

/**
 * Finds and reads the tokenizer of a model directory.
 * @throws GlmError `tokenizer.notFound`, `tokenizer.invalidModel`, `tokenizer.gitLfsPointer`, `tokenizer.invalidConfig`
 */
export async function findTokenizerFiles(directory: string): Promise<TokenizerFiles> {
  const config = await readJsonObject(path.join(directory, 'config.json'));
  const tokenizerConfig = await readJsonObject(path.join(directory, 'tokenizer_config.json'));
  for (const name of HF_MODEL_TYPES.includes(config.model_type) ? JSON_FIRST : NAMES) {
    const file = path.join(directory, name);
    const bytes = await readBounded(file, MAX_TOKENIZER_BYTES);
    if (bytes === null) continue;
    if (bytes === 'tooLarge') {
      throw new GlmError('tokenizer.invalidModel', { path: file, reason: 'tooLarge' });
    }
    const head = bytes.toString('latin1', 0, 400);
    if (head.startsWith('version https://git-lfs')) {
      throw new GlmError('tokenizer.gitLfsPointer', { path: file });
    }
    return { kind: kindOf(name, head), directory, path: file, bytes, config, tokenizerConfig };
  }
  throw new GlmError('tokenizer.notFound', { path: directory });
}

function kindOf(name: (typeof NAMES)[number], head: string): TokenizerKind {
  switch (name) {
    case 'ice_text.model':
      return 'iceText';
    case 'tokenizer.json':
      return 'tokenizerJson';
    case 'tokenizer.model':
      return RANKS.test(head) ? 'ranks' : 'sentencePiece';
  }
}
