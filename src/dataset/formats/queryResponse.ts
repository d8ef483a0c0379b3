/** ms-swift rows: `query`, `response`, optionally `system` and `history`. */
import { hasKey } from '../json';
import { answer, prompt } from './fields';
import type { RecordFormat } from './format';
import { questionAnswer } from './history';

export const queryResponse: RecordFormat = {
  id: 'query-response',
  matches: (record) => hasKey(record, 'query'),

  normalise(record, sink) {
    return questionAnswer(record, prompt(record, 'query', sink), answer(record, 'response', sink), sink);
  },
};
