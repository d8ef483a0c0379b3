import type { CheckpointErrors } from '../../protocol/errors';
import type { Translate } from '../translate';

/** `ModelProblem` of the checkpoint room, as it arrives: this room may not import that one. */
interface Problem {
  kind: 'missing' | 'shape' | 'dtype' | 'extra' | 'vocabulary';
  tensor: string;
  expected?: number[] | string[];
  found?: number[] | string;
  file?: string;
  tokenizer?: number;
  rows?: number;
}

/** One sentence, then one line per problem, then how many more there are. */
export function describeModelProblems(t: Translate, args: CheckpointErrors['checkpoint.doesNotFit']): string {
  const problems = JSON.parse(args.problems) as Problem[];
  const { path } = args;
  const lines = [
    args.of === 'adapter'
      ? t('The adapter {path} does not fit the model:', { path })
      : t('The weights in {path} do not fit the configuration of the model:', { path }),
  ];
  for (const problem of problems) lines.push(`  ${describeProblem(t, problem)}`);
  const rest = args.count - problems.length;
  if (rest > 0) lines.push(`  ${t('and {count} more', { count: rest })}`);
  return lines.join('\n');
}

function describeProblem(t: Translate, problem: Problem): string {
  const { tensor } = problem;
  const file = (problem.file ?? '').replace(/^.*[\\/]/, '');
  const expected = shape(problem.expected);
  const found = shape(problem.found);
  switch (problem.kind) {
    case 'missing':
      return t('{tensor} {expected} is missing', { tensor, expected });
    case 'shape':
      return t('{tensor} in {file} is {found}; expected {expected}', { tensor, file, found, expected });
    case 'dtype':
      if (problem.expected)
        return t('{tensor} in {file} holds {found} values; expected {expected}', {
          tensor,
          file,
          found,
          expected: problem.expected.join(' / '),
        });
      return t('{tensor} in {file} holds {found} values; expected floating-point ones', {
        tensor,
        file,
        found,
      });
    case 'extra':
      return t('{tensor} {found} in {file} is not part of this model', { tensor, file, found });
    case 'vocabulary':
      return t('the tokenizer has {tokenizer} tokens, the model only {rows}', {
        tokenizer: problem.tokenizer ?? 0,
        rows: problem.rows ?? 0,
      });
  }
}

function shape(value: (number | string)[] | string | undefined): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : (value ?? '');
}
