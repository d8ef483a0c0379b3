/** `messages` (GLM-4, OpenAI) and `conversations` (ChatGLM3) with `role` and `content`. */
import { isJsonObject, type JsonObject, type JsonPath, type JsonValue } from '../json';
import type { FormatId, Message, ToolDescription, TrainingRecord } from '../types';
import { contentText, requiredString } from './fields';
import type { RecordFormat } from './format';
import type { ProblemSink } from './problem';
import { MESSAGE_ROLES, suggestRole } from './roles';
import { readTools, toolCallFromJson, toolCallMessage } from './tools';
import { conversation, type Turn } from './turns';

/** Reads a list of `{role, content}` messages at `path` into turns. */
export function readMessages(list: JsonValue, path: JsonPath, sink: ProblemSink): Turn[] {
  if (!Array.isArray(list)) {
    sink.wrongType(path, 'array', list);
    return [];
  }
  if (list.length === 0) sink.error('emptyList', path, { field: String(path[path.length - 1]) });
  return list.flatMap((item, index) => readMessage(item, [...path, index], sink));
}

function readMessage(item: JsonValue, path: JsonPath, sink: ProblemSink): Turn[] {
  if (!isJsonObject(item)) {
    sink.wrongType(path, 'object', item);
    return [];
  }
  const name = requiredString(item, 'role', sink, path);
  if (name === undefined) return [];
  const rolePath = [...path, 'role'];
  const role = MESSAGE_ROLES.get(name);
  if (role === undefined || role === 'toolCall') {
    sink.error('unknownRole', rolePath, { role: name, suggestion: suggestRole(name, MESSAGE_ROLES) });
    return [];
  }
  const turn = (message: Message, field: string): Turn => ({
    message: withLoss(message, item, path, sink),
    role: name,
    rolePath,
    contentPath: [...path, field],
  });
  if (name === 'tool' && item['parameters'] !== undefined) return chatGlm3ToolTurns(item, path, sink, turn);
  if (role === 'assistant' && Array.isArray(item['tool_calls'])) {
    return openAiCallTurns(item, item['tool_calls'], path, sink, turn);
  }
  const content = item['content'];
  if (content === undefined || content === null) {
    sink.error('missingField', [...path, 'content'], { field: 'content' });
    return [];
  }
  const text = contentText(content, [...path, 'content'], sink);
  if (text === undefined) return [];
  const message: Message = { role, content: text };
  if (role === 'assistant' && typeof item['metadata'] === 'string' && item['metadata'] !== '') {
    message.metadata = item['metadata'];
  }
  return [turn(message, 'content')];
}

/** ChatGLM3's `{"role": "tool", "name", "parameters", "observation"}`: the call and its result in one message. */
function chatGlm3ToolTurns(
  item: JsonObject,
  path: JsonPath,
  sink: ProblemSink,
  turn: (message: Message, field: string) => Turn,
): Turn[] {
  const name = requiredString(item, 'name', sink, path);
  const parameters = item['parameters'];
  if (!isJsonObject(parameters)) {
    sink.wrongType([...path, 'parameters'], 'object', parameters ?? null);
    return [];
  }
  if (name === undefined) return [];
  const result = item['observation'];
  if (result === undefined) {
    sink.error('missingField', [...path, 'observation'], { field: 'observation' });
    return [];
  }
  const text = typeof result === 'string' ? result : pythonJson(result);
  return [
    turn(toolCallMessage(name, parameters), 'parameters'),
    turn({ role: 'observation', content: text }, 'observation'),
  ];
}

/** OpenAI's `tool_calls` beside a content that may be null. */
function openAiCallTurns(
  item: JsonObject,
  calls: readonly JsonValue[],
  path: JsonPath,
  sink: ProblemSink,
  turn: (message: Message, field: string) => Turn,
): Turn[] {
  const turns: Turn[] = [];
  const content = item['content'];
  if (typeof content === 'string' && content.trim() !== '') {
    turns.push(turn({ role: 'assistant', content }, 'content'));
  }
  calls.forEach((call, index) => {
    const message = toolCallFromJson(call);
    if (message !== undefined) turns.push(turn(message, 'tool_calls'));
    else sink.error('toolCallNotJson', [...path, 'tool_calls', index], {});
  });
  return turns;
}

/** `loss: false` (ChatGLM3, ms-swift) and `weight: 0` (OpenAI) take a turn out of the loss. */
function withLoss(message: Message, item: JsonObject, path: JsonPath, sink: ProblemSink): Message {
  const loss = item['loss'];
  if (loss === undefined || loss === null)
    return item['weight'] === 0 ? { ...message, loss: false } : message;
  if (typeof loss === 'boolean' || loss === 0 || loss === 1) return { ...message, loss: Boolean(loss) };
  sink.wrongType([...path, 'loss'], 'boolean', loss);
  return message;
}

/** JSON as Python's `json.dumps(value, ensure_ascii=False)` writes it: a space after `,` and `:`. */
function pythonJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(key)}: ${pythonJson(member)}`,
  );
  return `{${members.join(', ')}}`;
}

/** Tools beside the list of messages (ChatGLM3) or on its system message (GLM-4). */
function allTools(record: JsonObject, field: string, sink: ProblemSink): ToolDescription[] {
  const tools = readTools(record['tools'], ['tools'], sink);
  const list = record[field];
  const first = Array.isArray(list) ? list[0] : undefined;
  if (!isJsonObject(first) || first['role'] !== 'system') return tools;
  return [...tools, ...readTools(first['tools'], [field, 0, 'tools'], sink)];
}

function messageFormat(id: FormatId & ('messages' | 'conversations')): RecordFormat {
  return {
    id,
    matches: (record) => record[id] !== undefined,
    normalise(record, sink): TrainingRecord | undefined {
      const tools = allTools(record, id, sink);
      const turns = readMessages(record[id] ?? null, [id], sink);
      return conversation(turns, tools, [id], sink);
    },
  };
}

export const messages = messageFormat('messages');
export const conversations = messageFormat('conversations');
