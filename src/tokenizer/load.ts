import path from 'node:path';
import { GlmError } from '../protocol/errors';
import { findTokenizerFiles } from './load/findFiles';
import type { TokenizerFiles, TokenizerLoader } from './load/loader';
import { loaders } from './load/registry';
import type { TemplateId, TokenizerBundle } from './types';
import { showValue } from './load/showValue';

export interface LoadTokenizerOptions {
  /** Rows of the model's embedding (`padded_vocab_size`); ids beyond it are refused. */
  vocabSize: number;
  /**
   * Prompt format (`dataset.template` of a run file). If absent, `chat_template_id` in `tokenizer_config.json` names it,
   * else it is found from the files.
   */
  template?: TemplateId | null;
}

/**
 * Reads the tokenizer of a model directory, whichever kind it is (`load/registry.ts`), and the prompt format that belongs
 * to it. Hints are taken from `config.json`, `tokenizer_config.json` and the files of the family.
 * @throws GlmError `tokenizer.*`
 */
export async function loadTokenizer(
  directory: string,
  options: LoadTokenizerOptions,
): Promise<TokenizerBundle> {
  const files = await findTokenizerFiles(directory);
  const loader = loaders[files.kind];
  const templateId = options.template ?? namedTemplate(files, loader) ?? (await loader.detectTemplate(files));
  if (!loader.templates.includes(templateId)) {
    const usable = loader.templates.join(', ');
    throw new GlmError('tokenizer.templateNotUsable', { path: files.path, template: templateId, usable });
  }
  const bundle = await loader.load(files, templateId, options.vocabSize);
  if (bundle.tokenizer.vocabSize > options.vocabSize) {
    throw new GlmError('tokenizer.exceedsVocabulary', {
      path: files.path,
      tokens: bundle.tokenizer.vocabSize,
      rows: options.vocabSize,
    });
  }
  return bundle;
}

/** `chat_template_id` of `tokenizer_config.json`, or null. */
function namedTemplate(files: TokenizerFiles, loader: TokenizerLoader): TemplateId | null {
  const named = files.tokenizerConfig.chat_template_id;
  if (named === undefined) return null;
  const known = loader.templates.find((id) => id === named);
  if (known) return known;
  throw new GlmError('tokenizer.unknownTemplate', {
    path: path.join(files.directory, 'tokenizer_config.json'),
    template: showValue(named),
    usable: loader.templates.join(', '),
  });
}
