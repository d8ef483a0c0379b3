/** GLM-4-9B: `tokenizer.model`, a list of ranks, and special tokens in `tokenizer_config.json`. */
import type { AddedToken } from '../bytelevel/addedTokens';
import { ByteBpe } from '../bytelevel/byteBpe';
import { ByteLevelTokenizer } from '../bytelevel/byteLevelTokenizer';
import { asObject } from '../bytelevel/fields';
import { MAX_TOKEN_BYTES, MAX_TOKENS, parseRankFile } from '../bytelevel/rankFile';
import { mergesByRank } from '../bytelevel/vocabulary';
import {
  badSpecialToken,
  BYTE_LEVEL_TEMPLATES,
  byteLevelTemplate,
  detectByteLevelTemplate,
} from './byteLevelTemplates';
import type { TokenizerFiles, TokenizerLoader } from './loader';
import { showValue } from './showValue';

/** Special tokens after the ranks, in order, where `tokenizer_config.json` does not list them. */
const DEFAULT_SPECIALS = [
  '<|endoftext|>',
  '[MASK]',
  '[gMASK]',
  '[sMASK]',
  '<sop>',
  '<eop>',
  '<|system|>',
  '<|user|>',
  '<|assistant|>',
  '<|observation|>',
  '<|begin_of_image|>',
  '<|end_of_image|>',
  '<|begin_of_video|>',
  '<|end_of_video|>',
] as const;

export const ranksLoader: TokenizerLoader = {
  templates: BYTE_LEVEL_TEMPLATES,
  detectTemplate: detectByteLevelTemplate,

  async load(files, templateId, vocabSize) {
    const vocabulary = parseRankFile(files.bytes, files.path);
    const added = readAddedTokens(files, vocabulary.size);
    // The original code puts these two before every text.
    const prefix = added.filter(({ text }) => text === '[gMASK]' || text === '<sop>').map(({ id }) => id);
    const bpe = new ByteBpe(vocabulary, mergesByRank(vocabulary), true);
    const tokenizer = new ByteLevelTokenizer(bpe, { added, prefix });
    const template = await byteLevelTemplate(files, tokenizer, templateId, vocabSize);
    return { tokenizer, template, templateId };
  },
};

/** `added_tokens_decoder`: special tokens by id, all of them after the ranks. */
function readAddedTokens(files: TokenizerFiles, size: number): AddedToken[] {
  const listed = asObject(files.tokenizerConfig.added_tokens_decoder);
  if (listed === null)
    return DEFAULT_SPECIALS.map((text, index) => ({ id: size + index, text, special: true }));
  const added: AddedToken[] = [];
  const seen = new Set<string>();
  for (const [key, entry] of Object.entries(listed)) {
    const { content } = asObject(entry) ?? {};
    const id = Number(key);
    const isUsable =
      typeof content === 'string' &&
      content !== '' &&
      content.length <= MAX_TOKEN_BYTES &&
      Number.isInteger(id) &&
      id >= size &&
      id < MAX_TOKENS &&
      !seen.has(content);
    if (!isUsable) throw badSpecialToken(files, `${key} ${showValue(content)}`);
    seen.add(content);
    added.push({ id, text: content, special: asObject(entry)?.special !== false });
  }
  return added.sort((a, b) => a.id - b.id);
}
