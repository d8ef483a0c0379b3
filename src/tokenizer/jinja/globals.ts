import { TemplateFault, type Budget } from './faults';
import type { Marked } from './marked';
import { range, trusted } from './operators';
import { Callable, Dict, Namespace, textArgument, toText, type Arguments, type Value } from './values';

/** What every template can name: Jinja's own functions, those that transformers adds for chat templates, and the constants. */
export function globals(budget: Budget): Map<string, Value> {
  const values = new Map<string, Value>([
    ['range', new Callable(({ list }) => range(list, budget))],
    ['namespace', new Callable((args) => namespace(args))],
    ['dict', new Callable(({ named }) => new Dict(named))],
    ['strftime_now', new Callable(({ list }) => strftime(textArgument(list[0], 'strftime_now')))],
    [
      'raise_exception',
      new Callable(({ list }) => {
        throw new TemplateFault(toText(list[0]).text);
      }),
    ],
  ]);
  for (const [name, value] of [
    ['true', true],
    ['false', false],
    ['none', null],
  ] as const) {
    values.set(name, value);
    values.set(name.slice(0, 1).toUpperCase() + name.slice(1), value);
  }
  return values;
}

function namespace({ list, named }: Arguments): Namespace {
  const made = new Namespace();
  const [source] = list;
  if (source instanceof Dict) for (const [key, value] of source.entries) made.entries.set(key, value);
  for (const [key, value] of named) made.entries.set(key, value);
  return made;
}

/** Date and time by Python's most usual directives; names of days and months in English. */
function strftime(format: string): Marked {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  const name = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat('en', options).format(now);
  const parts: Readonly<Record<string, () => string>> = {
    Y: () => String(now.getFullYear()),
    y: () => two(now.getFullYear() % 100),
    m: () => two(now.getMonth() + 1),
    d: () => two(now.getDate()),
    H: () => two(now.getHours()),
    M: () => two(now.getMinutes()),
    S: () => two(now.getSeconds()),
    B: () => name({ month: 'long' }),
    b: () => name({ month: 'short' }),
    A: () => name({ weekday: 'long' }),
    a: () => name({ weekday: 'short' }),
    '%': () => '%',
  };
  return trusted(format.replace(/%([a-zA-Z%])/g, (whole, key: string) => parts[key]?.() ?? whole));
}
