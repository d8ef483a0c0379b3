/** `score`: log-probabilities and loss of every row, for other programs and for exact comparison. */
import type { Score } from '../../engine/types';
import { GlmError } from '../../protocol/errors';
import type { CommandContext } from '../context';
import { encodeScoreRow, rowEncoder, SCORE_SHAPES } from './encodeRow';
import { runRows, type RowsOptions } from './runRows';

export interface ScoreOptions extends RowsOptions {
  topLogprobs: number;
}

export function score(context: CommandContext, options: ScoreOptions): Promise<number> {
  return runRows(context, options, SCORE_SHAPES, async ({ model, rows, done, closed }) => {
    const encoder = rowEncoder(model, options.model);
    for (const [index, row] of rows.entries()) {
      if (closed()) return;
      const { inputIds, labels, paddingBefore } = await encodeScoreRow(row, encoder);
      const score = await model.score(inputIds, labels, options.topLogprobs, paddingBefore);
      await done(index, requireNumbers(score));
    }
  });
}

/** JSON would write null for what is not a number, and nobody would know why. Throws `engine.notNumbers`. */
export function requireNumbers(score: Score): Score {
  const { logprobs, loss } = score;
  const wrong = logprobs.some((logprob) => logprob !== null && !Number.isFinite(logprob));
  if (wrong || !Number.isFinite(loss)) throw new GlmError('engine.notNumbers', {});
  return score;
}
