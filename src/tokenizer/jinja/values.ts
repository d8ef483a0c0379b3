/** Values while a template is rendered. */
import { TemplateFault } from './faults';
import { DATA, type Mark, Marked, TEMPLATE } from './marked';

export type Value =
  Marked | number | boolean | null | undefined | readonly Value[] | Dict | Namespace | Callable;

/** Positional and keyword arguments of a call. */
export interface Arguments {
  list: readonly Value[];
  named: ReadonlyMap<string, Value>;
}

export class Callable {
  constructor(readonly call: (args: Arguments) => Value) {}
}

/** A dictionary with text keys; `keyMark` tells where the keys come from. */
export class Dict {
  constructor(
    readonly entries: ReadonlyMap<string, Value>,
    readonly keyMark: Mark = TEMPLATE,
    /** Index of the message that this dictionary is, or null. */
    readonly message: number | null = null,
  ) {}

  get(key: string): Value {
    return this.entries.get(key);
  }

  keys(): Marked[] {
    return Array.from(this.entries.keys(), (key) => Marked.of(key, this.keyMark));
  }

  items(): Value[] {
    return Array.from(this.entries, ([key, value]) => [Marked.of(key, this.keyMark), value]);
  }
}

/** What `namespace()` makes: the one thing whose attributes a template may set. */
export class Namespace {
  readonly entries = new Map<string, Value>();
}

/** JSON data as a value, all its text marked. */
export function fromJson(value: unknown, mark: Mark = DATA): Value {
  if (typeof value === 'string') return Marked.of(value, mark);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => fromJson(item, mark));
  if (typeof value === 'object') {
    return new Dict(new Map(Object.entries(value).map(([key, item]) => [key, fromJson(item, mark)])), mark);
  }
  return undefined;
}

/** Python's truth. */
export function isTrue(value: Value): boolean {
  if (value instanceof Marked) return value.text !== '';
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Dict) return value.entries.size > 0;
  return Boolean(value);
}

/** What `{{ value }}` prints. */
export function toText(value: Value): Marked {
  if (value instanceof Marked) return value;
  if (value === undefined) return Marked.EMPTY;
  if (value === null) return Marked.of('None', TEMPLATE);
  if (typeof value === 'boolean') return Marked.of(value ? 'True' : 'False', TEMPLATE);
  if (typeof value === 'number') return Marked.of(String(value), TEMPLATE);
  throw new TemplateFault(`printing a ${typeName(value)}`);
}

export function typeName(value: Value): string {
  if (value instanceof Marked) return 'string';
  if (value === undefined) return 'undefined';
  if (value === null) return 'None';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Dict) return 'dictionary';
  if (value instanceof Namespace) return 'namespace';
  if (value instanceof Callable) return 'function';
  return typeof value;
}

export function equals(left: Value, right: Value, depth = 0): boolean {
  if (left === right) return true;
  if (depth > 50) throw new TemplateFault('comparing deeply nested values');
  if (left instanceof Marked) return right instanceof Marked && left.text === right.text;
  if (typeof left === 'boolean' && typeof right === 'number') return Number(left) === right;
  if (typeof left === 'number' && typeof right === 'boolean') return left === Number(right);
  if (isList(left) && isList(right)) {
    return left.length === right.length && left.every((item, at) => equals(item, right[at], depth + 1));
  }
  if (left instanceof Dict && right instanceof Dict) {
    const sameKeys = [...left.entries.keys()].every((key) => right.entries.has(key));
    return (
      left.entries.size === right.entries.size &&
      sameKeys &&
      [...left.entries].every(([key, item]) => equals(item, right.get(key), depth + 1))
    );
  }
  return false;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** Items that a loop or a filter goes through: of a list, the keys of a dictionary, the characters of a text. */
export function itemsOf(value: Value): readonly Value[] {
  if (isList(value)) return value;
  if (value instanceof Dict) return value.keys();
  if (value instanceof Marked) return characters(value);
  if (value === undefined) return [];
  throw new TemplateFault(`going through a ${typeName(value)}`);
}

/** The code points of a text. */
export function characters(text: Marked): Marked[] {
  const parts: Marked[] = [];
  let at = 0;
  for (const character of text.text) {
    parts.push(text.slice(at, at + character.length));
    at += character.length;
  }
  return parts;
}

export function textArgument(value: Value, what: string): string {
  if (value instanceof Marked) return value.text;
  throw new TemplateFault(`${what} with a ${typeName(value)}`);
}

export function numberArgument(value: Value, what: string): number {
  if (typeof value === 'number') return value;
  throw new TemplateFault(`${what} with a ${typeName(value)}`);
}
