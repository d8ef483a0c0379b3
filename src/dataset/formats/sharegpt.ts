/**
 * ShareGPT: `conversations` of `{from, value}` (names human/gpt or user/assistant), and ms-swift's `conversation` of
 * `{human, assistant}` pairs. `system` and `tools` may stand beside the list.
 */
import { isJsonObject, type JsonObject, type JsonPath, type JsonValue } from '../json';
import type { Message, TrainingRecord } from '../types';
import { optionalString, requiredString } from './fields';
import type { RecordFormat } from './format';
import type { ProblemSink } from './problem';
import { SHAREGPT_ROLES, suggestRole } from './roles';
import { parseToolCall, readTools } from './tools';
import { conversation, type Turn } from './turns';

export const sharegpt: RecordFormat = {
  id: 'sharegpt',
  matches: (record) => Array.isArray(record['conversation']) || hasFromTurns(record['conversations']),

  normalise(record, sink): TrainingRecord | undefined {
    const field = Array.isArray(record['conversation']) ? 'conversation' : 'conversations';
    const list = record[field];
    const tools = readTools(record['tools'], ['tools'], sink);
    const turns = systemTurn(record, sink);
    if (!Array.isArray(list)) return undefined;
    if (list.length === 0) sink.error('emptyList', [field], { field });
    const read = field === 'conversation' ? readPair : readTurn;
    list.forEach((item, index) => turns.push(...read(item, [field, index], sink)));
    return conversation(turns, tools, [field], sink);
  },
};

function hasFromTurns(list: JsonValue | undefined): boolean {
  if (!Array.isArray(list)) return false;
  const first = list.find(isJsonObject);
  return first !== undefined && first['role'] === undefined && ('from' in first || 'value' in first);
}

function systemTurn(record: JsonObject, sink: ProblemSink): Turn[] {
  const content = optionalString(record, 'system', sink);
  if (content === '') return [];
  const path = ['system'];
  return [{ message: { role: 'system', content }, role: 'system', rolePath: path, contentPath: path }];
}

function readTurn(item: JsonValue, path: JsonPath, sink: ProblemSink): Turn[] {
  if (!isJsonObject(item)) {
    sink.wrongType(path, 'object', item);
    return [];
  }
  const from = requiredString(item, 'from', sink, path);
  const value = requiredString(item, 'value', sink, path);
  if (from === undefined || value === undefined) return [];
  const role = SHAREGPT_ROLES.get(from);
  const rolePath = [...path, 'from'];
  const contentPath = [...path, 'value'];
  if (role === undefined) {
    sink.error('unknownRole', rolePath, { role: from, suggestion: suggestRole(from, SHAREGPT_ROLES) });
    return [];
  }
  let message: Message;
  if (role === 'toolCall') {
    const call = parseToolCall(value);
    if (call === undefined) sink.warn('toolCallNotJson', contentPath, {});
    message = call ?? { role: 'assistant', content: value };
  } else {
    message = { role, content: value };
  }
  if (item['loss'] === false || item['loss'] === 0 || item['weight'] === 0) message.loss = false;
  return [{ message, role: from, rolePath, contentPath }];
}

function readPair(item: JsonValue, path: JsonPath, sink: ProblemSink): Turn[] {
  if (!isJsonObject(item)) {
    sink.wrongType(path, 'object', item);
    return [];
  }
  const human = requiredString(item, 'human', sink, path);
  const assistant = requiredString(item, 'assistant', sink, path);
  if (human === undefined || assistant === undefined) return [];
  return [
    pairTurn({ role: 'user', content: human }, 'human', path),
    pairTurn({ role: 'assistant', content: assistant }, 'assistant', path),
  ];
}

function pairTurn(message: Message, field: string, path: JsonPath): Turn {
  const place = [...path, field];
  return { message, role: field, rolePath: place, contentPath: place };
}
