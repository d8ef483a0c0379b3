/** Methods that templates call on texts and dictionaries, as Python has them. */
import { TemplateFault, type Budget } from './faults';
import { joinMarked, Marked } from './marked';
import {
  Callable,
  Dict,
  equals,
  isList,
  itemsOf,
  numberArgument,
  textArgument,
  toText,
  typeName,
  type Arguments,
  type Value,
} from './values';

type TextMethod = (text: Marked, args: Arguments, budget: Budget) => Value;

const TEXT_METHODS: Readonly<Record<string, TextMethod>> = {
  strip: (text, { list }) => text.strip('both', optionalText(list[0])),
  lstrip: (text, { list }) => text.strip('left', optionalText(list[0])),
  rstrip: (text, { list }) => text.strip('right', optionalText(list[0])),
  upper: (text) => text.mapText((value) => value.toUpperCase()),
  lower: (text) => text.mapText((value) => value.toLowerCase()),
  capitalize: (text) =>
    text.mapText((value) => value.slice(0, 1).toUpperCase() + value.slice(1).toLowerCase()),
  title: (text) => text.mapText(titleCase),
  split: (text, args) => splitText(text, args),
  rsplit: (text, args) => splitFromRight(text, args),
  splitlines: (text) => splitLines(text),
  startswith: (text, { list }) => anyAffix(list[0], (affix) => text.text.startsWith(affix)),
  endswith: (text, { list }) => anyAffix(list[0], (affix) => text.text.endsWith(affix)),
  removeprefix: (text, { list }) => {
    const affix = textArgument(list[0], 'removeprefix');
    return text.text.startsWith(affix) ? text.slice(affix.length) : text;
  },
  removesuffix: (text, { list }) => {
    const affix = textArgument(list[0], 'removesuffix');
    return affix !== '' && text.text.endsWith(affix) ? text.slice(0, -affix.length) : text;
  },
  find: (text, { list }) => text.text.indexOf(textArgument(list[0], 'find')),
  rfind: (text, { list }) => text.text.lastIndexOf(textArgument(list[0], 'rfind')),
  count: (text, { list }) => text.text.split(textArgument(list[0], 'count')).length - 1,
  replace: (text, { list, named }, budget) =>
    replaceText(text, toMarked(list[0]), toMarked(list[1]), list[2] ?? named.get('count'), budget),
  join: (text, { list }, budget) => joinValues(list[0], text, budget),
};

const DICT_METHODS: Readonly<Record<string, (dict: Dict, args: Arguments) => Value>> = {
  get: (dict, { list }) => {
    const key = list[0];
    const found = key instanceof Marked ? dict.get(key.text) : undefined;
    return found === undefined ? (list[1] ?? null) : found;
  },
  items: (dict) => dict.items(),
  keys: (dict) => dict.keys(),
  values: (dict) => [...dict.entries.values()],
};

/** The method of a value, or undefined if it has none of that name. */
export function methodOf(value: Value, name: string, budget: Budget): Callable | undefined {
  if (value instanceof Marked && Object.hasOwn(TEXT_METHODS, name)) {
    return new Callable((args) => TEXT_METHODS[name](value, args, budget));
  }
  if (value instanceof Dict && Object.hasOwn(DICT_METHODS, name)) {
    return new Callable((args) => DICT_METHODS[name](value, args));
  }
  if (isList(value) && name === 'index') {
    return new Callable(({ list }) => value.findIndex((item) => equals(item, list[0])));
  }
  if (isList(value) && name === 'count') {
    return new Callable(({ list }) => value.filter((item) => equals(item, list[0])).length);
  }
  return undefined;
}

/** Joins values with a separator; what the template itself says keeps being the template's. */
export function joinValues(value: Value, separator: Marked, budget: Budget): Marked {
  const parts = itemsOf(value).map(toText);
  budget.step(parts.length);
  const total = parts.reduce((length, part) => length + part.length, 0);
  budget.text(total + separator.length * Math.max(0, parts.length - 1));
  return joinMarked(parts, separator);
}

export function replaceText(text: Marked, from: Marked, to: Marked, count: Value, budget: Budget): Marked {
  const most = typeof count === 'number' && count >= 0 ? count : Infinity;
  const parts =
    from.text === ''
      ? [Marked.EMPTY, ...Array.from(text.text, (_, at) => text.slice(at, at + 1)), Marked.EMPTY]
      : text.split(from.text, most);
  budget.step(parts.length);
  budget.text(text.length + to.length * parts.length);
  return joinMarked(parts, to);
}

export function titleCase(text: string): string {
  return text.replace(/\p{L}+/gu, (word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase());
}

function optionalText(value: Value): string | undefined {
  return value === undefined || value === null ? undefined : textArgument(value, 'strip');
}

function toMarked(value: Value): Marked {
  if (value instanceof Marked) return value;
  throw new TemplateFault(`replace with a ${typeName(value)}`);
}

function splitText(text: Marked, { list, named }: Arguments): Value {
  const separator = list[0] ?? named.get('sep') ?? null;
  const given = list[1] ?? named.get('maxsplit') ?? -1;
  const most = numberArgument(given, 'split');
  if (separator === null) {
    const words = text.words();
    if (most < 0 || words.length <= most) return words;
    throw new TemplateFault('split without a separator but with a limit');
  }
  const cut = textArgument(separator, 'split');
  if (cut === '') throw new TemplateFault('split with an empty separator');
  return text.split(cut, most < 0 ? Infinity : most);
}

function splitFromRight(text: Marked, args: Arguments): Value {
  const most = args.list[1] ?? args.named.get('maxsplit') ?? -1;
  const parts = splitText(text, { list: args.list.slice(0, 1), named: args.named });
  const limit = numberArgument(most, 'rsplit');
  if (limit < 0 || !isList(parts) || parts.length <= limit + 1) return parts;
  const separator = textArgument(args.list[0], 'rsplit');
  const tail = parts.slice(parts.length - limit) as Marked[];
  const tailLength = tail.reduce((length, part) => length + part.length + separator.length, 0);
  return [text.slice(0, text.length - tailLength), ...tail];
}

function splitLines(text: Marked): Value {
  const lines: Marked[] = [];
  let start = 0;
  // eslint-disable-next-line no-control-regex -- Python's line ends
  for (const match of text.text.matchAll(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g)) {
    lines.push(text.slice(start, match.index));
    start = match.index + match[0].length;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}

function anyAffix(value: Value, matches: (affix: string) => boolean): boolean {
  return isList(value)
    ? value.some((affix) => matches(textArgument(affix, 'startswith')))
    : matches(textArgument(value, 'startswith'));
}
