/** Binary operators on values, as Python has them. */
import { TemplateFault, type Budget } from './faults';
import { joinMarked, Marked, TEMPLATE } from './marked';
import { Dict, equals, isList, toText, typeName, type Value } from './values';

export function binary(operator: string, left: Value, right: Value, budget: Budget): Value {
  switch (operator) {
    case '==':
      return equals(left, right);
    case '!=':
      return !equals(left, right);
    case 'in':
      return contains(right, left, budget);
    case 'not in':
      return !contains(right, left, budget);
    case '~':
      return concat(toText(left), toText(right), budget);
    case '<':
    case '>':
    case '<=':
    case '>=':
      return compare(operator, left, right);
  }
  if (operator === '+' && left instanceof Marked && right instanceof Marked)
    return concat(left, right, budget);
  if (operator === '+' && isList(left) && isList(right)) {
    budget.step(left.length + right.length);
    return [...left, ...right];
  }
  if (operator === '*' && left instanceof Marked && typeof right === 'number')
    return repeat(left, right, budget);
  return arithmetic(operator, toNumber(operator, left), toNumber(operator, right));
}

export function concat(left: Marked, right: Marked, budget: Budget): Marked {
  // The joined text shares its parts, but something may look at all of it.
  budget.text(left.length + right.length);
  return left.plus(right);
}

function repeat(text: Marked, count: number, budget: Budget): Marked {
  const times = Math.max(0, Math.trunc(count));
  budget.text(text.length * times);
  budget.step(times);
  return joinMarked(Array.from({ length: times }, () => text));
}

function contains(container: Value, item: Value, budget: Budget): boolean {
  if (container === undefined) return false;
  if (container instanceof Marked && item instanceof Marked) return container.text.includes(item.text);
  if (container instanceof Dict) return item instanceof Marked && container.entries.has(item.text);
  if (isList(container)) {
    budget.step(container.length);
    return container.some((entry) => equals(entry, item));
  }
  throw new TemplateFault(`"in" with a ${typeName(container)}`);
}

function compare(operator: string, left: Value, right: Value): boolean {
  const [a, b] =
    left instanceof Marked && right instanceof Marked
      ? [left.text, right.text]
      : [toNumber(operator, left), toNumber(operator, right)];
  if (operator === '<') return a < b;
  if (operator === '>') return a > b;
  return operator === '<=' ? a <= b : a >= b;
}

function arithmetic(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '//':
      return Math.floor(a / b);
    case '%':
      // Python's remainder has the sign of the divisor.
      return ((a % b) + b) % b;
    case '**':
      return a ** b;
    default:
      throw new TemplateFault(`the operator "${operator}"`);
  }
}

function toNumber(operator: string, value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  throw new TemplateFault(`"${operator}" with a ${typeName(value)}`);
}

/** `value[start:stop:step]` as Python cuts it; texts are cut between code points. */
export function sliceOf<T>(
  items: readonly T[],
  start: number | null,
  stop: number | null,
  step: number,
): T[] {
  if (step === 0) throw new TemplateFault('a slice with step 0');
  const { length } = items;
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? length : length - 1;
  const place = (index: number): number => Math.min(Math.max(index < 0 ? index + length : index, low), high);
  const from = start === null ? (step > 0 ? low : high) : place(start);
  const to = stop === null ? (step > 0 ? high : low) : place(stop);
  const cut: T[] = [];
  for (let index = from; step > 0 ? index < to : index > to; index += step) cut.push(items[index]);
  return cut;
}

/** Numbers of `range()`. */
export function range(list: readonly Value[], budget: Budget): number[] {
  const numbers = list.map((value) => toNumber('range', value));
  const [start, stop, step] =
    numbers.length > 1 ? [numbers[0], numbers[1], numbers[2] ?? 1] : [0, numbers[0] ?? 0, 1];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (step === 0 || Number.isNaN(count)) throw new TemplateFault('range with step 0');
  budget.step(count);
  return Array.from({ length: count }, (_, index) => start + index * step);
}

/** Marks everything as the template's own. */
export function trusted(text: string): Marked {
  return Marked.of(text, TEMPLATE);
}
