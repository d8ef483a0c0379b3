import type { ModelConfig } from '../../checkpoint/types';
import { chatGlm2 } from './chatglm2';
import type { DecoderModel } from './model';

/** The decoder of a configuration. */
export function createModel(config: ModelConfig): DecoderModel {
  switch (config.architecture) {
    case 'chatglm2':
      return chatGlm2(config) as DecoderModel;
    default:
      throw new Error(`no decoder for ${config.architecture}`);
  }
}
