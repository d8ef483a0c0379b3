/** Alpaca: `instruction`, `input`, `output`, optionally `system` and `history`. */
import { hasKey, isBlank } from '../json';
import { answer, optionalString } from './fields';
import type { RecordFormat } from './format';
import { questionAnswer } from './history';

export const alpaca: RecordFormat = {
  id: 'alpaca',
  matches: (record) => hasKey(record, 'instruction'),

  /** The question is the instruction and, on a new line, the input. */
  normalise(record, sink) {
    const instruction = optionalString(record, 'instruction', sink);
    const input = optionalString(record, 'input', sink);
    if (!sink.fatal && isBlank(instruction) && isBlank(input)) {
      sink.error('emptyPrompt', ['instruction'], { field: 'instruction' });
    }
    const question = [instruction, input].filter((part) => !isBlank(part)).join('\n');
    return questionAnswer(record, question, answer(record, 'output', sink), sink);
  },
};
