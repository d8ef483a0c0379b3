import type { ChatErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';

export const chatErrors: ErrorTable<ChatErrors> = {
  'chat.notLoaded': (t) => ({
    message: t('No model is loaded.'),
    remedy: t('Choose a model first.'),
  }),
  'chat.badRequest': (t, args) => ({
    message: t('The request could not be understood: {detail}', { ...args }),
    remedy: t('The editor and the engine may be of different versions. Reload the window.'),
  }),
  'chat.tooLong': (t, args) => ({
    message: t('The conversation has {tokens} tokens; the model takes at most {limit}.', { ...args }),
    remedy: t('Clear the conversation, or shorten the question.'),
  }),
};
