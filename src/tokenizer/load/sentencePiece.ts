/** ChatGLM2 and ChatGLM3: `tokenizer.model`, a SentencePiece model. */
import path from 'node:path';
import { GlmError } from '../../protocol/errors';
import { CHATGLM2_SPECIALS, CHATGLM3_SPECIALS, GlmTokenizer } from '../glmTokenizer';
import { parseSentencePieceModel } from '../sentencepiece/model';
import { SentencePieceProcessor } from '../sentencepiece/processor';
import { ChatGlm2Template } from '../templates/chatglm2';
import { ChatGlm3Template } from '../templates/chatglm3';
import type { TemplateId } from '../types';
import { readSmallFile } from './files';
import type { TokenizerFiles, TokenizerLoader } from './loader';

/** ChatGLM2-6B's context; ChatGLM3-6B has 8192. */
const CHATGLM2_SEQ_LENGTH = 32768;

export const sentencePieceLoader: TokenizerLoader = {
  templates: ['chatglm2', 'chatglm3'],
  detectTemplate,

  load(files, templateId, vocabSize) {
    const model = parseSentencePieceModel(files.bytes, files.path);
    const processor = new SentencePieceProcessor(model, files.path);
    if (processor.eosId < 0) {
      throw new GlmError('tokenizer.invalidModel', { path: files.path, reason: 'noEndOfText' });
    }
    const isChatGlm2 = templateId === 'chatglm2';
    const tokenizer = new GlmTokenizer(processor, isChatGlm2 ? CHATGLM2_SPECIALS : CHATGLM3_SPECIALS);
    const template = isChatGlm2
      ? new ChatGlm2Template(tokenizer, vocabSize)
      : new ChatGlm3Template(tokenizer, vocabSize);
    return { tokenizer, template, templateId };
  },
};

/**
 * ChatGLM2 or ChatGLM3. The network is the same, so this reads hints, the most reliable first: the tokenizer's own code,
 * the model's name, the context length; ChatGLM3 if nothing tells.
 */
async function detectTemplate({ directory, config, tokenizerConfig }: TokenizerFiles): Promise<TemplateId> {
  const code = await readSmallFile(path.join(directory, 'tokenization_chatglm.py'));
  if (code) return code.includes('<|user|>') ? 'chatglm3' : 'chatglm2';
  for (const name of [config._name_or_path, tokenizerConfig.name_or_path, tokenizerConfig._name_or_path]) {
    if (typeof name !== 'string') continue;
    if (/chatglm3/i.test(name)) return 'chatglm3';
    if (/chatglm2|codegeex2/i.test(name)) return 'chatglm2';
  }
  // ChatGLM3-6B-32k has the same length, but also a rope_ratio.
  const isChatGlm2 = config.seq_length === CHATGLM2_SEQ_LENGTH && config.rope_ratio === undefined;
  return isChatGlm2 ? 'chatglm2' : 'chatglm3';
}
