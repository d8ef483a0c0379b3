/** Formats with one question, one answer and a list of earlier `[question, answer]` pairs. */
import { isBlank, type JsonObject, type JsonValue } from '../json';
import type { Message, TrainingRecord } from '../types';
import { optionalString } from './fields';
import type { ProblemSink } from './problem';

/** Earlier turns; `[]`, `[[]]` and null all mean none. */
function readHistory(value: JsonValue | undefined, sink: ProblemSink): Message[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    sink.wrongType(['history'], 'array', value);
    return [];
  }
  const messages: Message[] = [];
  value.forEach((pair, index) => {
    if (Array.isArray(pair) && pair.length === 0) return;
    const [question, answer] = Array.isArray(pair) && pair.length === 2 ? pair : [];
    if (typeof question !== 'string' || typeof answer !== 'string') {
      sink.error('badHistoryTurn', ['history', index], { field: 'history' });
      return;
    }
    if (isBlank(question)) sink.error('emptyPrompt', ['history', index, 0], { field: 'history' });
    if (isBlank(answer)) sink.error('emptyAnswer', ['history', index, 1], { field: 'history' });
    messages.push({ role: 'user', content: question }, { role: 'assistant', content: answer });
  });
  return messages;
}

/** `system`, `history`, the question and the answer as one conversation. */
export function questionAnswer(
  record: JsonObject,
  question: string | undefined,
  answer: string | undefined,
  sink: ProblemSink,
): TrainingRecord | undefined {
  const system = optionalString(record, 'system', sink);
  const history = readHistory(record['history'], sink);
  if (sink.fatal || question === undefined || answer === undefined) return undefined;
  const messages: Message[] = isBlank(system) ? [] : [{ role: 'system', content: system }];
  messages.push(...history, { role: 'user', content: question }, { role: 'assistant', content: answer });
  const emptyHistory = Array.isArray(record['history']) && history.length === 0;
  return emptyHistory ? { kind: 'conversation', messages, emptyHistory } : { kind: 'conversation', messages };
}
