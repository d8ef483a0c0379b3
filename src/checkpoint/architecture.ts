/** Which network a `config.json` describes. Several different networks call themselves `chatglm`, two `glm`. */

import type { UnsupportedArchitecture } from '../protocol/errors';
import type { ModelConfig } from './types';

export type Architecture = ModelConfig['architecture'] | UnsupportedArchitecture;

type Json = Readonly<Record<string, unknown>>;

/**
 * Names the network of a configuration, by the keys that tell them apart.
 * `chatglm2` stands for ChatGLM2, ChatGLM3, CodeGeeX2 and GLM-4-9B in its original layout, which share one structure.
 */
export function detectArchitecture(config: Json): Architecture {
  switch (config.model_type) {
    case 'glm4':
      return 'glm4';
    case 'glm':
      return 'block_position_encoding' in config ? 'glm-2021' : 'glm';
    case 'chatglm':
      return detectChatGlm(config);
    default:
      return 'foreign';
  }
}

function detectChatGlm(config: Json): Architecture {
  if ('inner_hidden_size' in config || 'position_encoding_2d' in config) return 'chatglm';
  if ('vision_config' in config) return 'vision';
  return 'ffn_hidden_size' in config ? 'chatglm2' : 'foreign';
}

/**
 * ChatGLM2-6B-32k divides positions by `rope_ratio`; ChatGLM3-6B-32k and GLM-4 multiply the rotary base by it. The keys are the
 * same, so the name the checkpoint was published under tells, or the code that came with it.
 * @param names where the name may stand: `_name_or_path`, the directory
 * @param code text of `modeling_chatglm.py`; empty where there is none
 */
export function isInterpolated(config: Json, names: readonly unknown[], code: string): boolean {
  const ratio = config.rope_ratio ?? 1;
  if (ratio === 1) return false;
  if (/rope_ratio/.test(code)) return /\/\s*self\.rope_ratio/.test(code);
  return names.some((name) => typeof name === 'string' && /chatglm2-6b-32k/i.test(name));
}
