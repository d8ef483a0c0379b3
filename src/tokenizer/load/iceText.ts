/** ChatGLM-6B: `ice_text.model`, a SentencePiece model. */
import path from 'node:path';
import { GlmError } from '../../protocol/errors';
import { completeIceModel } from '../ice/model';
import { IceTokenizer } from '../ice/iceTokenizer';
import { parseSentencePieceModel } from '../sentencepiece/model';
import { SentencePieceProcessor } from '../sentencepiece/processor';
import { ChatGlmTemplate } from '../templates/chatglm';
import type { TokenizerFiles, TokenizerLoader } from './loader';
import { showValue } from './showValue';

/** Image tokens before the text of the first revisions. */
const IMAGE_TOKENS = 20_000;

export const iceTextLoader: TokenizerLoader = {
  templates: ['chatglm'],
  detectTemplate: () => 'chatglm',

  load(files, templateId, vocabSize) {
    const model = completeIceModel(parseSentencePieceModel(files.bytes, files.path));
    const processor = new SentencePieceProcessor(model, files.path);
    const tokenizer = new IceTokenizer(processor, imageTokens(files, processor.vocabulary.size, vocabSize));
    if (tokenizer.missingSpecials.length > 0) {
      throw new GlmError('tokenizer.invalidModel', { path: files.path, reason: 'noSpecialTokens' });
    }
    return { tokenizer, template: new ChatGlmTemplate(tokenizer, vocabSize), templateId };
  },
};

/**
 * Ids before the first piece. Slim checkpoints say `num_image_tokens: 0`; where the key is absent the original code takes
 * 20000, which we do if the embedding has the rows for it (150528 in the first revisions).
 */
function imageTokens({ tokenizerConfig, directory }: TokenizerFiles, pieces: number, rows: number): number {
  const named = tokenizerConfig.num_image_tokens;
  if (named === undefined || named === null) return IMAGE_TOKENS + pieces <= rows ? IMAGE_TOKENS : 0;
  if (typeof named === 'number' && Number.isInteger(named) && named >= 0) return named;
  throw new GlmError('tokenizer.invalidImageTokens', {
    path: path.join(directory, 'tokenizer_config.json'),
    value: showValue(named),
  });
}
