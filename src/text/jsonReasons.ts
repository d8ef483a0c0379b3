/** Why a text is not JSON, in words. */
import type { Translate } from './translate';

/** What a JSON reader expected where it stopped. */
export type JsonReason =
  'value' | 'key' | 'colon' | 'commaOrEnd' | 'string' | 'escape' | 'number' | 'end' | 'depth';

export function describeJsonReason(t: Translate, reason: string): string {
  switch (reason as JsonReason) {
    case 'key':
      return t('a key in double quotes is expected here');
    case 'colon':
      return t('a colon is expected here');
    case 'commaOrEnd':
      return t('a comma or a closing bracket is expected here');
    case 'string':
      return t('this string has no closing quote on its line');
    case 'escape':
      return t('this escape sequence is not allowed');
    case 'number':
      return t('this number is malformed');
    case 'end':
      return t('nothing may follow the value');
    case 'depth':
      return t('the brackets are nested too deeply');
    default:
      return t('a value is expected here');
  }
}
