/** Two columns, a question and an answer, under one of the usual pairs of names (ADGEN: `content`, `summary`). */
import { hasKey, type JsonObject } from '../json';
import { answer, prompt } from './fields';
import type { RecordFormat } from './format';
import { questionAnswer } from './history';

const PAIRS: readonly (readonly [string, string])[] = [
  ['content', 'summary'],
  ['question', 'answer'],
  ['input', 'output'],
  ['input', 'target'],
  ['source', 'target'],
  ['q', 'a'],
  ['问题', '答案'],
  ['问题', '回答'],
  ['问', '答'],
  ['输入', '输出'],
];

/** Names clear enough to recognise a record that lacks the other column. */
const TELLING = new Set(['summary', 'question', 'answer', 'output', '问题', '答案', '回答']);

function columnsOf(record: JsonObject): readonly [string, string] | undefined {
  const complete = PAIRS.find(([question, reply]) => hasKey(record, question) && hasKey(record, reply));
  if (complete !== undefined) return complete;
  return PAIRS.find((pair) => pair.some((name) => TELLING.has(name) && hasKey(record, name)));
}

export const columns: RecordFormat = {
  id: 'columns',
  matches: (record) => columnsOf(record) !== undefined,

  normalise(record, sink) {
    const pair = columnsOf(record);
    if (pair === undefined) return undefined;
    return questionAnswer(record, prompt(record, pair[0], sink), answer(record, pair[1], sink), sink);
  },
};
