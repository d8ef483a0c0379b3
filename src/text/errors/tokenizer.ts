import type { TokenizerErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';

export const tokenizerErrors: ErrorTable<TokenizerErrors> = {
  'tokenizer.notFound': (t, args) => ({
    message: t('{path} has no tokenizer.model.', { ...args }),
    remedy: t('Copy the tokenizer files of the model into its directory.'),
  }),
};
