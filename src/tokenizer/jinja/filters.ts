/** Filters of Jinja that chat templates use. */
import { TemplateFault, type Budget } from './faults';
import { Marked, TEMPLATE } from './marked';
import { joinValues, replaceText, titleCase } from './methods';
import { runTest } from './tests';
import { toJson } from './toJson';
import {
  characters,
  Dict,
  equals,
  isList,
  isTrue,
  itemsOf,
  numberArgument,
  textArgument,
  toText,
  typeName,
  type Arguments,
  type Value,
} from './values';

type Filter = (value: Value, args: Arguments, budget: Budget) => Value;

const FILTERS: Readonly<Record<string, Filter>> = {
  safe: (value) => value,
  string: (value) => toText(value),
  trim: (value, { list }) =>
    toText(value).strip('both', list[0] === undefined ? undefined : textArgument(list[0], 'trim')),
  upper: (value) => toText(value).mapText((text) => text.toUpperCase()),
  lower: (value) => toText(value).mapText((text) => text.toLowerCase()),
  title: (value) => toText(value).mapText(titleCase),
  capitalize: (value) =>
    toText(value).mapText((text) => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase()),
  replace: (value, { list, named }, budget) =>
    replaceText(toText(value), toText(list[0]), toText(list[1]), list[2] ?? named.get('count'), budget),
  indent: (value, args, budget) => indent(toText(value), args, budget),
  length: (value) => lengthOf(value),
  count: (value) => lengthOf(value),
  default: (value, args) => withDefault(value, args),
  d: (value, args) => withDefault(value, args),
  tojson: (value, args, budget) => tojson(value, args, budget),
  join: (value, { list, named }, budget) => {
    const attribute = named.get('attribute');
    const items =
      attribute === undefined ? value : itemsOf(value).map((item) => attributeOf(item, attribute));
    return joinValues(items, toText(list[0] ?? named.get('d')), budget);
  },
  first: (value) => itemsOf(value)[0],
  last: (value) => itemsOf(value).at(-1),
  list: (value, _, budget) => counted(itemsOf(value), budget),
  reverse: (value, _, budget) =>
    value instanceof Marked
      ? joinValues(characters(value).reverse(), Marked.EMPTY, budget)
      : counted([...itemsOf(value)].reverse(), budget),
  unique: (value, _, budget) => {
    const items = itemsOf(value);
    budget.step(items.length * items.length);
    return items.filter((item, index) => items.findIndex((other) => equals(item, other)) === index);
  },
  sort: (value, args, budget) => sort(counted(itemsOf(value), budget), args),
  items: (value) => dictOf(value, 'items').items(),
  dictsort: (value) =>
    sort(dictOf(value, 'dictsort').items(), { list: [], named: new Map([['attribute', 0]]) }),
  abs: (value) => Math.abs(numberArgument(value, 'abs')),
  int: (value, { list }) => parseNumber(value, list[0] ?? 0, true),
  float: (value, { list }) => parseNumber(value, list[0] ?? 0, false),
  map: (value, args, budget) => map(value, args, budget),
  select: (value, args, budget) => choose(value, args, budget, true, false),
  reject: (value, args, budget) => choose(value, args, budget, false, false),
  selectattr: (value, args, budget) => choose(value, args, budget, true, true),
  rejectattr: (value, args, budget) => choose(value, args, budget, false, true),
};

/** @throws TemplateFault for a filter that is not known */
export function applyFilter(name: string, value: Value, args: Arguments, budget: Budget): Value {
  if (!Object.hasOwn(FILTERS, name)) throw new TemplateFault(`the filter "${name}"`);
  return FILTERS[name](value, args, budget);
}

function counted(items: readonly Value[], budget: Budget): readonly Value[] {
  budget.step(items.length);
  return items;
}

function lengthOf(value: Value): number {
  if (value instanceof Dict) return value.entries.size;
  // Python counts code points.
  if (value instanceof Marked) return characters(value).length;
  return itemsOf(value).length;
}

function withDefault(value: Value, { list, named }: Arguments): Value {
  const alsoFalse = isTrue(list[1] ?? named.get('boolean'));
  const isMissing = value === undefined || (alsoFalse && !isTrue(value));
  return isMissing ? (list[0] ?? named.get('default_value') ?? Marked.EMPTY) : value;
}

function tojson(value: Value, { list, named }: Arguments, budget: Budget): Marked {
  // transformers' own order of arguments.
  const ensureAscii = list[0] ?? named.get('ensure_ascii');
  const indentation = list[1] ?? named.get('indent') ?? null;
  const separators = list[2] ?? named.get('separators') ?? null;
  const style = {
    ensureAscii: isTrue(ensureAscii),
    indent: indentation === null ? null : numberArgument(indentation, 'tojson'),
    separators: isList(separators)
      ? ([textArgument(separators[0], 'tojson'), textArgument(separators[1], 'tojson')] as const)
      : null,
    sortKeys: isTrue(list[3] ?? named.get('sort_keys')),
  };
  return toJson(value, style, budget);
}

function indent(text: Marked, { list, named }: Arguments, budget: Budget): Marked {
  const width = list[0] ?? named.get('width') ?? 4;
  const first = isTrue(list[1] ?? named.get('first'));
  const blank = isTrue(list[2] ?? named.get('blank'));
  const size = width instanceof Marked ? width.length : numberArgument(width, 'indent');
  const lines = text.split('\n');
  budget.text(size * (lines.length + 1));
  const padding = width instanceof Marked ? width : Marked.of(' '.repeat(Math.max(0, size)), TEMPLATE);
  const indented = lines.map((line, index) =>
    (index === 0 && !first) || (line.text === '' && !blank) ? line : padding.plus(line),
  );
  return joinValues(indented, Marked.of('\n', TEMPLATE), budget);
}

function sort(items: readonly Value[], { list, named }: Arguments): Value {
  const attribute = named.get('attribute') ?? list[2];
  const caseSensitive = isTrue(list[1] ?? named.get('case_sensitive'));
  const keyOf = (item: Value): string | number => {
    const key = attribute === undefined ? item : attributeOf(item, attribute);
    if (typeof key === 'number') return key;
    const text = textArgument(key, 'sort');
    return caseSensitive ? text : text.toLowerCase();
  };
  const sorted = items
    .map((item) => ({ item, key: keyOf(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ item }) => item);
  return isTrue(list[0] ?? named.get('reverse')) ? sorted.reverse() : sorted;
}

function parseNumber(value: Value, fallback: Value, whole: boolean): Value {
  if (typeof value === 'boolean') return Number(value);
  const number = value instanceof Marked ? Number(value.text.trim() || NaN) : value;
  if (typeof number !== 'number' || Number.isNaN(number)) return fallback;
  return whole ? Math.trunc(number) : number;
}

function map(value: Value, { list, named }: Arguments, budget: Budget): Value {
  const items = counted(itemsOf(value), budget);
  const attribute = named.get('attribute');
  if (attribute !== undefined) {
    return items.map((item) => attributeOf(item, attribute) ?? named.get('default'));
  }
  const name = textArgument(list[0], 'map');
  return items.map((item) => applyFilter(name, item, { list: list.slice(1), named }, budget));
}

function choose(
  value: Value,
  { list }: Arguments,
  budget: Budget,
  keep: boolean,
  byAttribute: boolean,
): Value {
  const rest = byAttribute ? list.slice(1) : list;
  const test = rest[0] === undefined ? null : textArgument(rest[0], 'select');
  return counted(itemsOf(value), budget).filter((item) => {
    const subject = byAttribute ? attributeOf(item, list[0]) : item;
    return (test === null ? isTrue(subject) : runTest(test, subject, rest[1])) === keep;
  });
}

/** Jinja's `attribute`: a name, a place, or several of them with dots between. */
function attributeOf(item: Value, attribute: Value): Value {
  const path =
    typeof attribute === 'number' ? [String(attribute)] : textArgument(attribute, 'attribute').split('.');
  let value = item;
  for (const name of path) {
    if (value instanceof Dict) value = value.get(name);
    else if (isList(value)) value = value[Number(name)];
    else return undefined;
  }
  return value;
}

function dictOf(value: Value, filter: string): Dict {
  if (value instanceof Dict) return value;
  throw new TemplateFault(`${filter} of a ${typeName(value)}`);
}
