import type { TemplateId } from './types';

/** What the files beside a model say about it; absent files are empty. */
export interface TemplateHints {
  /** `config.json` as parsed. */
  config: Record<string, unknown>;
  /** `tokenizer_config.json` as parsed. */
  tokenizerConfig: Record<string, unknown>;
  /** Text of `tokenization_chatglm.py`. */
  tokenizerCode: string;
}

export const TEMPLATE_IDS: readonly TemplateId[] = ['chatglm2', 'chatglm3'];

/** ChatGLM2-6B's context; ChatGLM3-6B has 8192. */
const CHATGLM2_SEQ_LENGTH = 32768;

/**
 * Which prompt format a ChatGLM2/ChatGLM3 checkpoint was made for. The network is the same, so this reads hints, the most
 * reliable first: the tokenizer's own code, the model's name, the context length; ChatGLM3 if nothing tells.
 */
export function detectTemplate(hints: TemplateHints): TemplateId {
  const { config, tokenizerConfig, tokenizerCode } = hints;
  if (tokenizerCode !== '') return tokenizerCode.includes('<|user|>') ? 'chatglm3' : 'chatglm2';
  for (const name of [config._name_or_path, tokenizerConfig.name_or_path, tokenizerConfig._name_or_path]) {
    if (typeof name !== 'string') continue;
    if (/chatglm3/i.test(name)) return 'chatglm3';
    if (/chatglm2|codegeex2/i.test(name)) return 'chatglm2';
  }
  // ChatGLM3-6B-32k has the same length, but also a rope_ratio.
  const isChatGlm2 = config.seq_length === CHATGLM2_SEQ_LENGTH && config.rope_ratio === undefined;
  return isChatGlm2 ? 'chatglm2' : 'chatglm3';
}
