/** Plain text: `{"text": ...}`, every token trained. */
import { hasKey, isBlank } from '../json';
import { requiredString } from './fields';
import type { RecordFormat } from './format';

export const text: RecordFormat = {
  id: 'text',
  matches: (record) => hasKey(record, 'text'),

  normalise(record, sink) {
    const value = requiredString(record, 'text', sink);
    if (value === undefined) return undefined;
    if (isBlank(value)) {
      sink.error('emptyAnswer', ['text'], { field: 'text' });
      return undefined;
    }
    return { kind: 'text', text: value };
  },
};
