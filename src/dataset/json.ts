/** Parsed JSON and paths into it. */

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** Keys and indices from the root: `['messages', 1, 'content']`. */
export type JsonPath = readonly (string | number)[];

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a key of the object itself, whatever its value. */
export function hasKey(object: JsonObject, key: string): boolean {
  return Object.hasOwn(object, key);
}

export type JsonTypeName = 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object';

export function jsonTypeName(value: JsonValue): JsonTypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as JsonTypeName;
}

/** True for an empty string and for one of white space only, ideographic and zero-width space included. */
export function isBlank(text: string): boolean {
  return text.length < 1000 ? /^[\s\u200b-\u200d\u2060]*$/.test(text) : text.trim() === '';
}
