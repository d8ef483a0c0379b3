import type { Translate } from './translate';

/** Why a record gives no row (`DropReason` of the tokenizer room), as the end of a sentence. */
export function describeDropReason(t: Translate, reason: string): string {
  switch (reason) {
    case 'tooLong':
      return t('its question leaves no room for an answer within the longest row');
    case 'tokenOutOfRange':
      return t('it holds token ids outside the vocabulary');
    default:
      return t('it has no token that is trained');
  }
}
