/** ChatGLM-6B and ChatGLM2-6B chat rows: `prompt`, `response`, `history`. */
import { hasKey } from '../json';
import { answer, prompt } from './fields';
import type { RecordFormat } from './format';
import { questionAnswer } from './history';

export const promptResponse: RecordFormat = {
  id: 'prompt-response',
  matches: (record) => hasKey(record, 'response') || hasKey(record, 'prompt'),

  normalise(record, sink) {
    return questionAnswer(record, prompt(record, 'prompt', sink), answer(record, 'response', sink), sink);
  },
};
