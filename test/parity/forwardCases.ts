/** Batches of the reference, scored by the product row by row. */
import assert from 'node:assert/strict';
import type { LanguageModel } from '../../src/engine/infer/languageModel';
import {
  logSoftmax,
  maxDifference,
  readGolden,
  readGoldenJson,
  realColumns,
  type ForwardCase,
} from './golden';

const LOGITS = 5e-5;
const LOSS = 5e-6;

export function forwardCases(architecture: string): ForwardCase[] {
  return readGoldenJson<{ batches: ForwardCase[] }>(`golden/${architecture}/forward.json`).batches;
}

/** Compares every given row; padding is left away, which changes nothing at the real tokens. */
export async function compareCase(model: LanguageModel, directory: string, item: ForwardCase): Promise<void> {
  const vocab = model.vocabSize;
  const expected = readGolden(directory, item.logits);
  let lossSum = 0;
  let counted = 0;
  let compared = 0;
  for (const [row, ids] of item.input_ids.entries()) {
    const kept = realColumns(item, row);
    const labels = item.labels && kept.map((column) => item.labels![row][column]);
    const score = await model.score(
      kept.map((column) => ids[column]),
      labels,
      vocab,
    );
    lossSum += score.loss * score.tokens_counted;
    counted += score.tokens_counted;
    item.logits_at.forEach(([r, column], index) => {
      if (r !== row || !kept.includes(column)) return;
      const wanted = logSoftmax(expected.subarray(index * vocab, (index + 1) * vocab));
      const found = new Float64Array(vocab);
      for (const [id, value] of score.top_logprobs![kept.indexOf(column)]) found[id] = value;
      const difference = maxDifference(found, wanted);
      assert.ok(difference < LOGITS, `${item.name} row ${row} column ${column}: ${difference}`);
      compared++;
    });
  }
  assert.equal(compared, item.logits_at.length);
  if (item.labels && typeof item.loss === 'number') {
    const difference = Math.abs(lossSum / counted - item.loss);
    assert.ok(difference < LOSS, `${item.name} loss: ${difference}`);
  }
}
