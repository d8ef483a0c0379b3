/** GLM-4-9B-hf, GLM-4-0414 and GLM-Edge: `tokenizer.json`. */
import { parseTokenizerJson } from '../bytelevel/tokenizerJson';
import { BYTE_LEVEL_TEMPLATES, byteLevelTemplate, detectByteLevelTemplate } from './byteLevelTemplates';
import type { TokenizerLoader } from './loader';

export const tokenizerJsonLoader: TokenizerLoader = {
  templates: BYTE_LEVEL_TEMPLATES,
  detectTemplate: detectByteLevelTemplate,

  async load(files, templateId, vocabSize) {
    const tokenizer = parseTokenizerJson(files.bytes, files.path);
    const template = await byteLevelTemplate(files, tokenizer, templateId, vocabSize);
    return { tokenizer, template, templateId };
  },
};
