/** Names of the training methods as people know them. */
import type { Translate } from './translate';

/**
 * @param method `type` of the run file's method; an unknown one is shown as it is
 * @param quantized whether the base weights are stored in 4 bits
 */
export function methodName(t: Translate, method: string, quantized = false): string {
  switch (method) {
    case 'lora':
      return quantized ? 'QLoRA' : 'LoRA';
    case 'ptuning_v2':
      return quantized ? t('P-Tuning v2 over 4-bit weights') : 'P-Tuning v2';
    case 'full':
      return t('full fine-tuning');
    default:
      return method;
  }
}
