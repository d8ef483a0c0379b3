/** Which network a `config.json` describes. Four different networks call themselves `chatglm`. */

import type { UnsupportedArchitecture } from '../protocol/errors';

export type Architecture = 'chatglm2' | UnsupportedArchitecture;

/**
 * Names the network of a configuration, by the keys that tell them apart.
 * `chatglm2` stands for ChatGLM2, ChatGLM3 and CodeGeeX2, which share one structure.
 */
export function detectArchitecture(config: Readonly<Record<string, unknown>>): Architecture {
  switch (config.model_type) {
    case 'glm':
    case 'glm4':
      return config.model_type;
    case 'chatglm':
      return detectChatGlm(config);
    default:
      return 'foreign';
  }
}

function detectChatGlm(config: Readonly<Record<string, unknown>>): Architecture {
  if ('quantization_bit' in config && Number(config.quantization_bit) > 0) return 'chatglm-quantised';
  if ('inner_hidden_size' in config || 'position_encoding_2d' in config) return 'chatglm';
  if (!('ffn_hidden_size' in config)) return 'foreign';
  if (Number(config.pre_seq_len) > 0) return 'chatglm-prefix';
  return isInterpolated(config) ? 'chatglm2-interpolated' : 'chatglm2';
}

/**
 * ChatGLM2-6B-32k divides positions by `rope_ratio`; ChatGLM3-6B-32k and GLM-4 multiply the rotary base by it.
 * The structure is the same, so only the name the checkpoint was published under tells.
 */
function isInterpolated(config: Readonly<Record<string, unknown>>): boolean {
  const ratio = config.rope_ratio;
  if (ratio === undefined || ratio === null || Number(ratio) === 1) return false;
  const name = config._name_or_path;
  return typeof name === 'string' && /chatglm2-6b-32k/i.test(name);
}
