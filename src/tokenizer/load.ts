import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { GlmError } from '../protocol/errors';
import { detectTemplate, TEMPLATE_IDS } from './detect';
import { CHATGLM2_SPECIALS, CHATGLM3_SPECIALS, GlmTokenizer } from './glmTokenizer';
import { parseSentencePieceModel } from './sentencepiece/model';
import { SentencePieceProcessor } from './sentencepiece/processor';
import { ChatGlm2Template } from './templates/chatglm2';
import { ChatGlm3Template } from './templates/chatglm3';
import type { TemplateId, TokenizerBundle } from './types';

/** Real models are 1 to 3 MB. */
const MAX_MODEL_BYTES = 64 * 1024 * 1024;
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

export interface LoadTokenizerOptions {
  /** Rows of the model's embedding (`padded_vocab_size`); ids beyond it are refused. */
  vocabSize: number;
  /** Prompt format; found from the files if absent. `chat_template_id` in `tokenizer_config.json` settles it, too. */
  template?: TemplateId;
}

/**
 * Reads the tokenizer of a ChatGLM2 or ChatGLM3 checkpoint directory (`tokenizer.model`, and as hints `config.json`,
 * `tokenizer_config.json`, `tokenization_chatglm.py`).
 * @throws GlmError `tokenizer.*`
 */
export async function loadTokenizer(
  directory: string,
  options: LoadTokenizerOptions,
): Promise<TokenizerBundle> {
  const file = path.join(directory, 'tokenizer.model');
  const processor = new SentencePieceProcessor(
    parseSentencePieceModel(await readModelFile(file), file),
    file,
  );
  const templateId = options.template ?? (await findTemplate(directory));
  const isChatGlm2 = templateId === 'chatglm2';
  const tokenizer = new GlmTokenizer(processor, isChatGlm2 ? CHATGLM2_SPECIALS : CHATGLM3_SPECIALS);
  if (tokenizer.eosId < 0) {
    throw new GlmError('tokenizer.invalidModel', { path: file, reason: 'noEndOfText' });
  }
  if (tokenizer.vocabSize > options.vocabSize) {
    throw new GlmError('tokenizer.exceedsVocabulary', {
      path: file,
      tokens: tokenizer.vocabSize,
      rows: options.vocabSize,
    });
  }
  const template = isChatGlm2
    ? new ChatGlm2Template(tokenizer, options.vocabSize)
    : new ChatGlm3Template(tokenizer, options.vocabSize);
  return { tokenizer, template, templateId };
}

async function findTemplate(directory: string): Promise<TemplateId> {
  const tokenizerConfigPath = path.join(directory, 'tokenizer_config.json');
  const tokenizerConfig = await readJson(tokenizerConfigPath);
  const named = tokenizerConfig.chat_template_id;
  if (named !== undefined) {
    const known = TEMPLATE_IDS.find((id) => id === named);
    if (known) return known;
    throw new GlmError('tokenizer.unknownTemplate', {
      path: tokenizerConfigPath,
      template: JSON.stringify(named),
    });
  }
  return detectTemplate({
    tokenizerConfig,
    config: await readJson(path.join(directory, 'config.json')),
    tokenizerCode: (await readSmallFile(path.join(directory, 'tokenization_chatglm.py'))) ?? '',
  });
}

async function readModelFile(file: string): Promise<Uint8Array> {
  const bytes = await readBounded(file, MAX_MODEL_BYTES);
  if (bytes === null) throw new GlmError('tokenizer.notFound', { path: path.dirname(file) });
  if (bytes === 'tooLarge') throw new GlmError('tokenizer.invalidModel', { path: file, reason: 'tooLarge' });
  const head = bytes.toString('latin1', 0, 200);
  if (head.startsWith('version https://git-lfs')) {
    throw new GlmError('tokenizer.gitLfsPointer', { path: file });
  }
  // GLM-4 keeps "base64 rank" lines under the same name.
  if (/^[A-Za-z0-9+/]+={0,2} \d+\r?\n/.test(head)) {
    throw new GlmError('tokenizer.notSentencePiece', { path: file });
  }
  return bytes;
}

async function readJson(file: string): Promise<Record<string, unknown>> {
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

/** Text of a file, or null if it is absent or too large to be what it should be. */
async function readSmallFile(file: string): Promise<string | null> {
  const bytes = await readBounded(file, MAX_TEXT_BYTES);
  return bytes === null || bytes === 'tooLarge' ? null : bytes.toString('utf8');
}

/** Null if the file does not exist or is no regular file. Other failures of the system pass through. */
async function readBounded(file: string, limit: number): Promise<Buffer | 'tooLarge' | null> {
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
