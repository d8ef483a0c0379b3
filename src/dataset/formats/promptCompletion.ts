/** TRL and mlx-lm rows: `prompt` and `completion`, as texts or as lists of messages. */
import { hasKey } from '../json';
import { answer, prompt } from './fields';
import type { RecordFormat } from './format';
import { questionAnswer } from './history';
import { readMessages } from './messages';
import { conversation } from './turns';

export const promptCompletion: RecordFormat = {
  id: 'prompt-completion',
  matches: (record) => hasKey(record, 'completion'),

  normalise(record, sink) {
    const { prompt: question, completion } = record;
    if (Array.isArray(question) && Array.isArray(completion)) {
      const turns = [
        ...readMessages(question, ['prompt'], sink),
        ...readMessages(completion, ['completion'], sink),
      ];
      return conversation(turns, [], ['completion'], sink);
    }
    return questionAnswer(record, prompt(record, 'prompt', sink), answer(record, 'completion', sink), sink);
  },
};
