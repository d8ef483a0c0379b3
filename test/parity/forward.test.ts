/** Logits and losses of the original ChatGLM2 and ChatGLM3 code. Tolerances: four times the reference's own float32 error. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { LanguageModel } from '../../src/engine/infer/languageModel';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';
import { logSoftmax, maxDifference, readGolden, readGoldenJson, type ForwardCase } from './golden';

const LOGITS = 5e-5;
const LOSS = 5e-6;

before(openTestEngine);

/** Compares every given row; padding is left away, which for these models changes nothing at the real tokens. */
async function compare(model: LanguageModel, directory: string, item: ForwardCase): Promise<void> {
  const vocab = model.vocabSize;
  const expected = readGolden(directory, item.logits);
  let lossSum = 0;
  let counted = 0;
  for (const [row, ids] of item.input_ids.entries()) {
    const mask = item.attention_mask?.[row] ?? ids.map(() => 1);
    const kept = ids.flatMap((_, column) => (mask[column] ? [column] : []));
    const labels = item.labels && kept.map((column) => item.labels![row][column]);
    const score = await model.score(
      kept.map((column) => ids[column]),
      labels,
      vocab,
    );
    lossSum += score.loss * score.tokens_counted;
    counted += score.tokens_counted;
    item.logits_at.forEach(([r, column], index) => {
      if (r !== row || !mask[column]) return;
      const wanted = logSoftmax(expected.subarray(index * vocab, (index + 1) * vocab));
      const found = new Float64Array(vocab);
      for (const [id, value] of score.top_logprobs![kept.indexOf(column)]) found[id] = value;
      const difference = maxDifference(found, wanted);
      assert.ok(difference < LOGITS, `${item.name} row ${row} column ${column}: ${difference}`);
    });
  }
  if (item.labels && item.loss !== undefined) {
    const difference = Math.abs(lossSum / counted - item.loss);
    assert.ok(difference < LOSS, `${item.name} loss: ${difference}`);
  }
}

for (const architecture of ['chatglm2', 'chatglm3']) {
  test(`${architecture}: logits and loss of every batch`, async () => {
    const directory = `golden/${architecture}`;
    const { batches } = readGoldenJson<{ batches: ForwardCase[] }>(`${directory}/forward.json`);
    const model = await LanguageModel.load({
      model: fixture(`models/${architecture}`),
      adapter: null,
      dtype: 'float32',
    });
    for (const item of batches) await compare(model, directory, item);
    await model.dispose();
  });
}

test('chatglm3: a float16 checkpoint, widened to float32', async () => {
  const directory = 'golden/chatglm3';
  const { checkpoint, ...item } = readGoldenJson<ForwardCase & { checkpoint: string }>(
    `${directory}/half-checkpoint.json`,
  );
  const model = await LanguageModel.load({ model: fixture(checkpoint), adapter: null, dtype: 'float32' });
  await compare(model, directory, { ...item, name: 'half', attention_mask: null });
  await model.dispose();
});

const variants = [
  'all-biases',
  'full-attention-heads',
  'layernorm',
  'no-final-norm',
  'no-qkv-bias-1-group',
  'residual-post-layernorm',
];

for (const variant of variants) {
  test(`chatglm3 with ${variant}`, async () => {
    const directory = `variants/chatglm3-${variant}`;
    const { cases } = readGoldenJson<{ cases: ForwardCase[] }>(`${directory}/cases.json`);
    const model = await LanguageModel.load({ model: fixture(directory), adapter: null, dtype: 'float32' });
    for (const item of cases) await compare(model, directory, item);
    await model.dispose();
  });
}
