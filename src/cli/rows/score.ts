/** `score`: log-probabilities and loss of every row, for other programs and for exact comparison. */
import type { CommandContext } from '../context';
import { encodeScoreRow, SCORE_SHAPES } from './encodeRow';
import { runRows, type RowsOptions } from './runRows';

export interface ScoreOptions extends RowsOptions {
  topLogprobs: number;
}

export function score(context: CommandContext, options: ScoreOptions): Promise<number> {
  return runRows(context, options, SCORE_SHAPES, async (model, row) => {
    const { inputIds, labels } = await encodeScoreRow(row, model);
    return model.score(inputIds, labels, options.topLogprobs);
  });
}
