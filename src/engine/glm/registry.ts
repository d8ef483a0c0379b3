import type { ModelConfig } from '../../checkpoint/types';
import { chatGlm } from './chatglm';
import { chatGlm2 } from './chatglm2';
import { glm } from './glm';
import type { DecoderModel } from './model';

/** The decoder of a configuration. */
export function createModel(config: ModelConfig): DecoderModel {
  switch (config.architecture) {
    case 'chatglm':
      return chatGlm(config);
    case 'chatglm2':
      return chatGlm2(config);
    case 'glm':
    case 'glm4':
      return glm(config);
  }
}
