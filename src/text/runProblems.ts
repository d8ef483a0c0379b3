/** Problems of a run file as sentences. */
import type { RunFileProblem } from '../protocol/run';
import type { Translate } from './translate';

/** What is wrong with one key, without the key path. */
export function describeRunProblem(t: Translate, problem: RunFileProblem): string {
  const { issue } = problem;
  switch (issue?.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? t('is missing ({expected} is expected)', { expected: typeName(t, issue.expected) })
        : t('must be {expected}', { expected: typeName(t, issue.expected) });
    case 'invalid_value':
      return t('must be one of {values}', { values: list(issue.values) });
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options)
        ? t('must be one of {values}', { values: list(issue.options) })
        : problem.message;
    case 'too_small':
      return tooSmall(t, issue);
    case 'too_big':
      return issue.inclusive === false
        ? t('must be less than {limit}', { limit: Number(issue.maximum) })
        : issue.origin === 'string'
          ? t('must have at most {limit} characters', { limit: Number(issue.maximum) })
          : t('must be at most {limit}', { limit: Number(issue.maximum) });
    case 'unrecognized_keys':
      return problem.suggestion
        ? t('is not a key of a run file. Did you mean "{suggestion}"?', { suggestion: problem.suggestion })
        : t('is not a key of a run file');
    default:
      return problem.message;
  }
}

function tooSmall(
  t: Translate,
  issue: { origin: string; minimum: number | bigint; inclusive?: boolean },
): string {
  if (issue.origin === 'string' || issue.origin === 'array') return t('must not be empty');
  const limit = Number(issue.minimum);
  return issue.inclusive === false
    ? t('must be greater than {limit}', { limit })
    : t('must be at least {limit}', { limit });
}

function list(values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(', ');
}

function typeName(t: Translate, expected: string): string {
  switch (expected) {
    case 'string':
      return t('a text in quotes');
    case 'number':
      return t('a number');
    case 'int':
      return t('a whole number');
    case 'boolean':
      return t('true or false');
    case 'array':
      return t('a list in square brackets');
    case 'object':
      return t('an object in braces');
    default:
      return expected;
  }
}
