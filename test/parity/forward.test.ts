/** Logits, losses and hidden states of the original code of every family. Tolerances: four times the reference's own float32 error. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { before, test } from 'node:test';
import { LanguageModel } from '../../src/engine/infer/languageModel';
import { loadModel } from '../../src/engine/loadModel';
import { fixture } from '../unit/fixtures';
import { ARCHITECTURES } from './architectures';
import { openTestEngine } from './engine';
import { compareCase, forwardCases } from './forwardCases';
import { maxDifference, readGolden, readGoldenJson, realColumns, type ForwardCase } from './golden';
import { layerStates } from './layerStates';

const LOGITS = 5e-5;

interface Generated {
  batch: Pick<ForwardCase, 'input_ids' | 'attention_mask'> & { tokens: number[][]; steps: number };
}

before(openTestEngine);

async function withModel(directory: string, use: (model: LanguageModel) => Promise<void>): Promise<void> {
  const model = await LanguageModel.load({ model: fixture(directory), adapter: null, dtype: 'float32' });
  await use(model);
  await model.dispose();
}

for (const architecture of ARCHITECTURES) {
  test(`${architecture}: logits and loss of every batch`, () =>
    withModel(`models/${architecture}`, async (model) => {
      for (const item of forwardCases(architecture)) await compareCase(model, `golden/${architecture}`, item);
    }));

  test(`${architecture}: a checkpoint in half precision, widened to float32`, async () => {
    const golden = readGoldenJson<ForwardCase & { checkpoint: string }>(
      `golden/${architecture}/half-checkpoint.json`,
    );
    await withModel(golden.checkpoint, (model) =>
      compareCase(model, `golden/${architecture}`, { ...golden, name: 'half' }),
    );
  });

  test(`${architecture}: hidden states of every layer`, async () => {
    const [single] = forwardCases(architecture);
    const directory = `golden/${architecture}`;
    const resident = await loadModel({
      directory: fixture(`models/${architecture}`),
      dtype: 'float32',
      trainable: false,
    });
    const { hidden, final, logits } = await layerStates(resident, single.input_ids[0]);
    const normed = single.hidden_states_note!.endsWith('the last entry is the output of the final norm');
    const found = [...hidden.slice(0, -1), normed ? final : hidden.at(-1)!];
    assert.equal(found.length, single.hidden_states!.length);
    single.hidden_states!.forEach(({ tensor }, i) => {
      const difference = maxDifference(found[i], readGolden(directory, tensor));
      assert.ok(difference < LOGITS, `hidden state ${i}: ${difference}`);
    });
    const { vocabSize } = resident.model;
    const expected = readGolden(directory, single.logits);
    single.logits_at.forEach(([, column], i) => {
      const row = logits.subarray(column * vocabSize, (column + 1) * vocabSize);
      const difference = maxDifference(row, expected.subarray(i * vocabSize, (i + 1) * vocabSize));
      assert.ok(difference < LOGITS, `logits of column ${column}: ${difference}`);
    });
    await resident.close();
  });
}

/** What the reference's cache computed step by step, computed in one piece. */
for (const architecture of ARCHITECTURES)
  test(`${architecture}: logits of a batch's first and last generated step`, () =>
    withModel(`models/${architecture}`, async (model) => {
      const directory = `golden/${architecture}`;
      const { batch } = readGoldenJson<Generated>(`${directory}/generate.json`);
      const rows = batch.input_ids.map((ids, row) => [
        ...realColumns(batch, row).map((column) => ids[column]),
        ...batch.tokens[row],
      ]);
      for (const [name, step] of [
        ['first', 0],
        ['last', batch.steps - 1],
      ] as const)
        await compareCase(model, directory, {
          name: `batch ${name}`,
          input_ids: rows,
          labels: null,
          logits: `generate.safetensors#batch_${name}_logits`,
          logits_at: rows.map((ids, row) => [row, ids.length - batch.steps - 1 + step]),
        });
    }));

for (const variant of readdirSync(fixture('variants')))
  test(`variant ${variant}`, () =>
    withModel(`variants/${variant}`, async (model) => {
      const { cases } = readGoldenJson<{ cases: ForwardCase[] }>(`variants/${variant}/cases.json`);
      assert.ok(cases.length > 0);
      for (const item of cases) await compareCase(model, `variants/${variant}`, item);
    }));
