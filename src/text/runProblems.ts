/** Problems of a run file as sentences. */
import type { z } from 'zod';
import { METHOD_TYPES, type RunFileProblem } from '../protocol/run';
import type { Translate } from './translate';

/** What is wrong with one key, without the key path. */
export function describeRunProblem(t: Translate, problem: RunFileProblem): string {
  const { issue, key, suggestion } = problem;
  if (key === 'method.type' && suggestion !== undefined) return methodSentence(t, problem, suggestion);
  switch (issue?.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? t('is missing ({expected} is expected)', { expected: typeName(t, issue.expected) })
        : t('must be {expected}', { expected: typeName(t, issue.expected) });
    case 'invalid_value':
      return t('must be one of {values}', { values: list(issue.values) });
    case 'invalid_union':
      return t('must be one of {values}', {
        values:
          'options' in issue && Array.isArray(issue.options)
            ? list(issue.options)
            : alternatives(t, issue.errors),
      });
    case 'too_small':
      return tooSmall(t, issue);
    case 'too_big':
      return issue.inclusive === false
        ? t('must be less than {limit}', { limit: Number(issue.maximum) })
        : issue.origin === 'string'
          ? t('must have at most {limit} characters', { limit: Number(issue.maximum) })
          : t('must be at most {limit}', { limit: Number(issue.maximum) });
    case 'unrecognized_keys':
      if (problem.owner)
        return t('is a key of the method "{owner}", not of "{method}"', {
          owner: problem.owner,
          method: (issue.input as { type: string }).type,
        });
      return problem.suggestion
        ? t('is not a key of a run file. Did you mean "{suggestion}"?', { suggestion: problem.suggestion })
        : t('is not a key of a run file');
    default:
      return problem.message;
  }
}

function methodSentence(t: Translate, { issue }: RunFileProblem, suggestion: string): string {
  const written = JSON.stringify(issue?.input ?? '');
  if (/qlora/i.test(written))
    return t('QLoRA is the method "lora" with "quantization": { "type": "nf4" } beside "method"');
  return t('must be one of {values}. Did you mean "{suggestion}"?', {
    values: list(METHOD_TYPES),
    suggestion,
  });
}

/** What each branch of a union would have taken. */
function alternatives(t: Translate, branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const named = branches.flatMap(([issue]) => {
    if (issue?.code === 'invalid_value') return [list(issue.values)];
    return issue?.code === 'invalid_type' ? [typeName(t, issue.expected)] : [];
  });
  return named.join(', ');
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
