/** Greedy generation and the sampling filters, against the reference. Token ids must be equal; probabilities within 1e-5. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Variable } from '../../src/engine/backend/graphBuilder';
import { Generator } from '../../src/engine/infer/generator';
import { KeyValueCache } from '../../src/engine/infer/keyValueCache';
import { LanguageModel } from '../../src/engine/infer/languageModel';
import { filteredProbabilities, penaliseRepetition } from '../../src/engine/infer/sampling';
import { loadModel } from '../../src/engine/loadModel';
import type { SamplingSettings } from '../../src/protocol/control';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';
import { logSoftmax, maxDifference, readGolden, readGoldenJson } from './golden';

const PROBABILITY = 1e-5;
const LOGITS = 5e-5;

interface Generation {
  prompt: number[];
  tokens: number[];
  batch: {
    input_ids: number[][];
    attention_mask: (number[] | string[])[];
    logits: string;
    tokens: number[][];
    steps: number;
  };
  sampling: {
    step: number;
    history: number[];
    probabilities: Record<string, { tensor: string; kept: number[] }>;
  };
}

/** Settings by the name of the golden tensor. */
const FILTERS: Record<
  string,
  Pick<SamplingSettings, 'temperature' | 'top_k' | 'top_p' | 'repetition_penalty'>
> = {
  'temperature0.8_topk50_topp0.8': { temperature: 0.8, top_k: 50, top_p: 0.8, repetition_penalty: 1 },
  'temperature0.95_topp0.7': { temperature: 0.95, top_k: 0, top_p: 0.7, repetition_penalty: 1 },
  topk5: { temperature: 1, top_k: 5, top_p: 1, repetition_penalty: 1 },
  'repetition1.2_temperature0.8_topp0.8': { temperature: 0.8, top_k: 0, top_p: 0.8, repetition_penalty: 1.2 },
};

const GREEDY: SamplingSettings = {
  do_sample: false,
  temperature: 1,
  top_p: 1,
  top_k: 0,
  repetition_penalty: 1,
  max_new_tokens: 24,
  seed: 0,
};

before(openTestEngine);

/** Columns of a row that are not padding; ChatGLM-6B's mask is a square of "1" for hidden, whose last row sees all tokens. */
function realColumns(mask: number[] | string[]): boolean[] {
  const last = mask[mask.length - 1];
  if (typeof last === 'string') return Array.from(last, (hidden) => hidden === '0');
  return (mask as number[]).map((real) => real === 1);
}

for (const architecture of ['chatglm-v1', 'chatglm2', 'chatglm3', 'glm4-9b', 'glm-hf', 'glm4-0414']) {
  const golden = readGoldenJson<Generation>(`golden/${architecture}/generate.json`);

  test(`${architecture}: greedy tokens, cold and with a warm cache`, async () => {
    const model = await LanguageModel.load({
      model: fixture(`models/${architecture}`),
      adapter: null,
      dtype: 'float32',
    });
    const first = await model.generate(golden.prompt, { sampling: GREEDY, stopIds: [] });
    assert.deepEqual(first.outputIds, golden.tokens);
    assert.equal(first.finishReason, 'length');
    const again = await model.generate(golden.prompt, { sampling: GREEDY, stopIds: [] });
    assert.deepEqual(again.outputIds, golden.tokens);
    const stopped = await model.generate(golden.prompt, { sampling: GREEDY, stopIds: [golden.tokens[3]] });
    assert.deepEqual(stopped, { outputIds: golden.tokens.slice(0, 4), finishReason: 'stop' });
    await model.dispose();
  });

  test(`${architecture}: logits of every step`, async () => {
    const model = await LanguageModel.load({
      model: fixture(`models/${architecture}`),
      adapter: null,
      dtype: 'float32',
    });
    const ids = [...golden.prompt, ...golden.tokens];
    const logits = readGolden(`golden/${architecture}`, 'generate.safetensors#step_logits');
    const score = await model.score(ids, null, model.vocabSize);
    golden.tokens.forEach((_, step) => {
      const wanted = logSoftmax(logits.slice(step * model.vocabSize, (step + 1) * model.vocabSize));
      const found = new Float64Array(model.vocabSize);
      for (const [id, value] of score.top_logprobs![golden.prompt.length - 1 + step]) found[id] = value;
      const difference = maxDifference(found, wanted);
      assert.ok(difference < LOGITS, `step ${step}: ${difference}`);
    });
    await model.dispose();
  });

  test(`${architecture}: a batch of prompts of different lengths`, async () => {
    const model = await LanguageModel.load({
      model: fixture(`models/${architecture}`),
      adapter: null,
      dtype: 'float32',
    });
    const { input_ids, attention_mask, tokens, steps } = golden.batch;
    const prompts = input_ids.map((ids, row) => {
      const real = realColumns(attention_mask[row]);
      return ids.filter((_, column) => real[column]);
    });
    const options = { sampling: { ...GREEDY, max_new_tokens: steps }, stopIds: [] };
    const together = await model.generateBatch(
      prompts,
      prompts.map(() => options),
    );
    assert.deepEqual(
      together.map(({ outputIds }) => outputIds),
      tokens,
    );
    for (const [row, prompt] of prompts.entries())
      assert.deepEqual((await model.generate(prompt, options)).outputIds, tokens[row]);
    // A row that ends early leaves the others as they are.
    const stopIds = [tokens[0][2]];
    const ends = await model.generateBatch(
      prompts,
      prompts.map((_, row) => ({ ...options, stopIds: row === 0 ? stopIds : [] })),
    );
    assert.deepEqual(ends[0], {
      outputIds: tokens[0].slice(0, tokens[0].indexOf(stopIds[0]) + 1),
      finishReason: 'stop',
    });
    assert.deepEqual(
      ends.slice(1).map(({ outputIds }) => outputIds),
      tokens.slice(1),
    );
    await model.dispose();
  });

  test(`${architecture}: probabilities after the filters`, () => {
    const { step, history, probabilities } = golden.sampling;
    const logits = readGolden(`golden/${architecture}`, 'generate.safetensors#step_logits');
    const vocab = logits.length / golden.tokens.length;
    for (const [name, { tensor, kept }] of Object.entries(probabilities)) {
      const settings = FILTERS[name];
      assert.ok(settings, name);
      const row = logits.slice(step * vocab, (step + 1) * vocab);
      penaliseRepetition(row, history, settings.repetition_penalty);
      const found = filteredProbabilities(row, settings);
      const ids = Array.from(found.keys()).filter((id) => found[id] > 0);
      assert.deepEqual(ids, kept, name);
      const difference = maxDifference(found, readGolden(`golden/${architecture}`, tensor));
      assert.ok(difference < PROBABILITY, `${name}: ${difference}`);
    }
  });
}

for (const architecture of ['chatglm-v1', 'chatglm2', 'glm4-0414'])
  test(`${architecture}: greedy tokens by layers that are one kernel each`, async () => {
    const golden = readGoldenJson<Generation>(`golden/${architecture}/generate.json`);
    const directory = fixture(`models/${architecture}`);
    const resident = await loadModel({ directory, dtype: 'float32', trainable: false });
    const generator = new Generator(resident, true);
    const one = await generator.generate(golden.prompt, { sampling: GREEDY, stopIds: [] });
    assert.deepEqual(one.outputIds, golden.tokens);
    const { input_ids, attention_mask, tokens, steps } = golden.batch;
    const prompts = input_ids.map((ids, row) => {
      const real = realColumns(attention_mask[row]);
      return ids.filter((_, column) => real[column]);
    });
    const options = { sampling: { ...GREEDY, max_new_tokens: steps }, stopIds: [] };
    const several = await generator.generateBatch(
      prompts,
      prompts.map(() => options),
    );
    assert.deepEqual(
      several.map(({ outputIds }) => outputIds),
      tokens,
    );
    await resident.close();
  });

test('sampling is repeatable by its seed and a cancelled answer ends', async () => {
  const golden = readGoldenJson<Generation>('golden/chatglm3/generate.json');
  const model = await LanguageModel.load({
    model: fixture('models/chatglm3'),
    adapter: null,
    dtype: 'float32',
  });
  const sampling = { ...GREEDY, do_sample: true, top_p: 0.9, seed: 5 };
  const first = await model.generate(golden.prompt, { sampling, stopIds: [] });
  const second = await model.generate(golden.prompt, { sampling, stopIds: [] });
  assert.deepEqual(first, second);
  const other = await model.generate(golden.prompt, { sampling: { ...sampling, seed: 6 }, stopIds: [] });
  assert.notDeepEqual(other.outputIds, first.outputIds);
  const controller = new AbortController();
  const cancelled = await model.generate(golden.prompt, {
    sampling: GREEDY,
    stopIds: [],
    signal: controller.signal,
    onToken: () => controller.abort(),
  });
  assert.equal(cancelled.finishReason, 'cancelled');
  assert.deepEqual(cancelled.outputIds, golden.tokens.slice(0, 1));
  await model.dispose();
});

test('a growing conversation outgrows its cache and goes on as a new one would', async () => {
  const load = () =>
    LanguageModel.load({ model: fixture('models/chatglm3'), adapter: null, dtype: 'float32' });
  const long = Array.from({ length: 150 }, (_, t) => (t * 37) % 600);
  const grown = await load();
  const fresh = await load();
  const options = { sampling: { ...GREEDY, max_new_tokens: 6 }, stopIds: [] };
  await grown.generate(long.slice(0, 20), options);
  const { outputIds } = await grown.generate(long, options);
  assert.deepEqual(outputIds, (await fresh.generate(long, options)).outputIds);
  assert.equal(outputIds.length, 6);
  await grown.dispose();
  await fresh.dispose();
});

test('a cache gives its memory back', async () => {
  const directory = fixture('models/chatglm3');
  const resident = await loadModel({ directory, dtype: 'float32', trainable: false });
  const { groups, headDim } = resident.model;
  const cache = new KeyValueCache(resident, 1, 16);
  await cache.initialise();
  const keys: Variable = { name: 'cache.1x16.0.keys', shape: [groups * 16, headDim], dtype: 'float32' };
  assert.equal((await resident.store.read(keys)).length, groups * 16 * headDim);
  await cache.dispose();
  await assert.rejects(resident.store.read(keys), { code: 'engine.runFailed' });
  await resident.close();
});
