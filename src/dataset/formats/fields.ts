/** Reading of single fields, with the problems they can have. */
import { isBlank, type JsonObject, type JsonPath, type JsonValue } from '../json';
import type { ProblemSink } from './problem';

/** A string that must be there. Null counts as missing: table tools write it for absent columns. */
export function requiredString(record: JsonObject, field: string, sink: ProblemSink, base: JsonPath = []) {
  const value = record[field];
  if (value === undefined || value === null) {
    sink.error('missingField', [...base, field], { field });
    return undefined;
  }
  if (typeof value === 'string') return value;
  sink.wrongType([...base, field], 'string', value);
  return undefined;
}

/** A string that may be absent or null. */
export function optionalString(record: JsonObject, field: string, sink: ProblemSink): string {
  const value = record[field];
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  sink.wrongType([field], 'string', value);
  return '';
}

/** An answer: a string with something in it. */
export function answer(record: JsonObject, field: string, sink: ProblemSink): string | undefined {
  const text = requiredString(record, field, sink);
  if (text !== undefined && isBlank(text)) sink.error('emptyAnswer', [field], { field });
  return text;
}

/** A prompt: a string with something in it. */
export function prompt(record: JsonObject, field: string, sink: ProblemSink): string | undefined {
  const text = requiredString(record, field, sink);
  if (text !== undefined && isBlank(text)) sink.error('emptyPrompt', [field], { field });
  return text;
}

/** Text of a message: a string, or the list of text parts that chat interfaces write. */
export function contentText(value: JsonValue, path: JsonPath, sink: ProblemSink): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) {
    sink.wrongType(path, 'string', value);
    return undefined;
  }
  const parts: string[] = [];
  for (const part of value) {
    const isText =
      typeof part === 'object' && part !== null && !Array.isArray(part) && part['type'] === 'text';
    const text = isText ? part['text'] : part;
    if (typeof text === 'string') parts.push(text);
    else sink.wrongType(path, 'string', value);
  }
  return parts.length === value.length ? parts.join('') : undefined;
}
