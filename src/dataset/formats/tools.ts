/** Tool descriptions and tool calls. */
import { isJsonObject, type JsonObject, type JsonPath, type JsonValue } from '../json';
import type { Message, ToolDescription } from '../types';
import type { ProblemSink } from './problem';
import { pythonRepr } from './pythonRepr';

/** Tools as a list, or as the JSON text of one; null and an empty text mean none (table tools write them). */
export function readTools(
  value: JsonValue | undefined,
  path: JsonPath,
  sink: ProblemSink,
): ToolDescription[] {
  if (value === undefined || value === null) return [];
  let list: JsonValue = value;
  if (typeof value === 'string') {
    if (value.trim() === '') return [];
    try {
      list = JSON.parse(value) as JsonValue;
    } catch {
      sink.error('toolsNotJson', path, {});
      return [];
    }
  }
  if (isJsonObject(list)) list = [list];
  if (!Array.isArray(list) || !list.every(isJsonObject)) {
    sink.wrongType(path, 'arrayOrJsonString', value);
    return [];
  }
  return list;
}

/** An assistant turn that calls a tool, in ChatGLM3's writing: the name on the role line, then a Python call in a fence. */
export function toolCallMessage(name: string, args: JsonObject): Message {
  const parameters = Object.entries(args).map(([key, value]) => `${key}=${pythonRepr(value)}`);
  return {
    role: 'assistant',
    metadata: name,
    content: '```python\ntool_call(' + parameters.join(', ') + ')\n```',
    toolCall: { name, arguments: args },
  };
}

/** A call written as JSON text: `{"name": ..., "arguments": {...} or their JSON text}`; undefined if it is not one. */
export function parseToolCall(text: string): Message | undefined {
  try {
    return toolCallFromJson(JSON.parse(text) as JsonValue);
  } catch {
    return undefined;
  }
}

/** A call as JSON: `{"name", "arguments" or "parameters"}`, also inside OpenAI's `{"function": ...}`. */
export function toolCallFromJson(value: JsonValue): Message | undefined {
  if (!isJsonObject(value)) return undefined;
  if (isJsonObject(value['function'])) return toolCallFromJson(value['function']);
  const name = value['name'];
  if (typeof name !== 'string' || name === '') return undefined;
  let args: JsonValue | undefined = value['arguments'] ?? value['parameters'] ?? {};
  if (typeof args === 'string') {
    try {
      args = args.trim() === '' ? {} : (JSON.parse(args) as JsonValue);
    } catch {
      return undefined;
    }
  }
  return isJsonObject(args) ? toolCallMessage(name, args) : undefined;
}
