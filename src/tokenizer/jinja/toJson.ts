import { TemplateFault, type Budget } from './faults';
import { joinMarked, Marked, TEMPLATE } from './marked';
import { Dict, isList, Namespace, typeName, type Value } from './values';

export interface JsonStyle {
  indent: number | null;
  ensureAscii: boolean;
  separators: readonly [item: string, key: string] | null;
  sortKeys: boolean;
}

const MAX_DEPTH = 100;

/** Python's `json.dumps` as transformers' `tojson` filter calls it: nothing is escaped for HTML. */
export function toJson(value: Value, style: JsonStyle, budget: Budget): Marked {
  const [itemSeparator, keySeparator] = style.separators ?? [style.indent === null ? ', ' : ',', ': '];
  const parts: Marked[] = [];
  const own = (text: string): void => put(Marked.of(text, TEMPLATE));
  const put = (part: Marked): void => {
    budget.text(part.length);
    parts.push(part);
  };
  const newline = (depth: number): void => {
    if (style.indent === null) return;
    budget.text(depth * style.indent);
    own('\n' + ' '.repeat(depth * style.indent));
  };
  const list = <T>(
    open: string,
    close: string,
    items: readonly T[],
    depth: number,
    write: (item: T) => void,
  ): void => {
    own(open);
    for (const [index, item] of items.entries()) {
      if (index > 0) own(itemSeparator);
      newline(depth + 1);
      write(item);
    }
    if (items.length > 0) newline(depth);
    own(close);
  };
  const write = (item: Value, depth: number): void => {
    budget.step();
    if (depth > MAX_DEPTH) throw new TemplateFault('JSON nested too deeply');
    if (item instanceof Marked) put(quote(item, style.ensureAscii));
    else if (item === null) own('null');
    else if (typeof item === 'boolean') own(String(item));
    else if (typeof item === 'number') own(Number.isFinite(item) ? String(item) : 'NaN');
    else if (isList(item)) list('[', ']', item, depth, (entry) => write(entry, depth + 1));
    else if (item instanceof Dict || item instanceof Namespace) {
      const mark = item instanceof Dict ? item.keyMark : TEMPLATE;
      const entries = [...item.entries];
      if (style.sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      list('{', '}', entries, depth, ([key, entry]) => {
        put(quote(Marked.of(key, mark), style.ensureAscii));
        own(keySeparator);
        write(entry, depth + 1);
      });
    } else throw new TemplateFault(`tojson of a ${typeName(item)}`);
  };
  write(value, 0);
  return joinMarked(parts);
}

/** A JSON string; what an escape stands for keeps its mark. */
function quote(text: Marked, ensureAscii: boolean): Marked {
  const quoted = JSON.stringify(text.text).slice(1, -1);
  const safe = ensureAscii ? quoted.replace(/[\x7f-\uffff]/g, escapeUnit) : quoted;
  // Quotes of a message's text belong to the message, as do the escapes within.
  const mark = text.marks.charCodeAt(0) || TEMPLATE;
  return safe === text.text
    ? joinMarked([Marked.of('"', TEMPLATE), text, Marked.of('"', TEMPLATE)])
    : joinMarked([Marked.of('"', TEMPLATE), Marked.of(safe, mark), Marked.of('"', TEMPLATE)]);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
