/** Jinja's tests: `is defined`, `is none` and so on. */
import { TemplateFault } from './faults';
import { Marked } from './marked';
import { Callable, Dict, equals, isList, itemsOf, numberArgument, type Value } from './values';

type Test = (value: Value, argument: Value) => boolean;

const same: Test = (value, argument) => equals(value, argument);
const different: Test = (value, argument) => !equals(value, argument);

const TESTS: Readonly<Record<string, Test>> = {
  defined: (value) => value !== undefined,
  undefined: (value) => value === undefined,
  none: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  true: (value) => value === true,
  false: (value) => value === false,
  string: (value) => value instanceof Marked,
  number: (value) => typeof value === 'number' || typeof value === 'boolean',
  integer: (value) => typeof value === 'number' && Number.isInteger(value),
  float: (value) => typeof value === 'number' && !Number.isInteger(value),
  mapping: (value) => value instanceof Dict,
  iterable: (value) => isList(value) || value instanceof Dict || value instanceof Marked,
  sequence: (value) => isList(value) || value instanceof Dict || value instanceof Marked,
  callable: (value) => value instanceof Callable,
  odd: (value) => Math.abs(numberArgument(value, 'odd')) % 2 === 1,
  even: (value) => numberArgument(value, 'even') % 2 === 0,
  in: (value, argument) => itemsOf(argument).some((item) => equals(item, value)),
  eq: same,
  equalto: same,
  '==': same,
  ne: different,
  '!=': different,
};

/** @throws TemplateFault for a test that is not known */
export function runTest(name: string, value: Value, argument: Value): boolean {
  if (!Object.hasOwn(TESTS, name)) throw new TemplateFault(`the test "${name}"`);
  return TESTS[name](value, argument);
}
