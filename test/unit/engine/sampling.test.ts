import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseToken, filteredProbabilities, penaliseRepetition } from '../../../src/engine/infer/sampling';
import { Random } from '../../../src/engine/random';
import { bucketCapacity, bucketLength } from '../../../src/engine/shapes';

const OPEN = { temperature: 1, top_k: 0, top_p: 1 };

test('top-k keeps the ties of the k-th', () => {
  const kept = filteredProbabilities(Float32Array.of(3, 1, 2, 2, 0), { ...OPEN, top_k: 2 });
  assert.deepEqual(
    Array.from(kept, (p) => p > 0),
    [true, false, true, true, false],
  );
});

test('top-p keeps a token while the mass before it is below p, and one at least', () => {
  const logits = Float32Array.of(Math.log(0.5), Math.log(0.3), Math.log(0.2));
  const kept = filteredProbabilities(logits, { ...OPEN, top_p: 0.6 });
  assert.ok(Math.abs(kept[0] - 0.625) < 1e-6 && Math.abs(kept[1] - 0.375) < 1e-6 && kept[2] === 0);
  assert.equal(filteredProbabilities(logits, { ...OPEN, top_p: 0 })[0], 1);
});

test('the repetition penalty counts an id once and pushes both signs down', () => {
  const logits = Float32Array.of(2, -2, 1);
  penaliseRepetition(logits, [0, 0, 1, 99], 2);
  assert.deepEqual([...logits], [1, -4, 1]);
});

test('drawing follows the probabilities', () => {
  const random = new Random(11);
  const sampling = { ...OPEN, do_sample: true, repetition_penalty: 1, max_new_tokens: 1, seed: 0 };
  const counts = [0, 0, 0];
  for (let i = 0; i < 4000; i++)
    counts[chooseToken(Float32Array.of(Math.log(0.7), Math.log(0.2), Math.log(0.1)), [], sampling, random)]++;
  assert.ok(Math.abs(counts[0] / 4000 - 0.7) < 0.03 && Math.abs(counts[2] / 4000 - 0.1) < 0.02);
});

test('temperature 0 takes the likeliest token', () => {
  const sampling = {
    ...OPEN,
    temperature: 0,
    do_sample: true,
    repetition_penalty: 1,
    max_new_tokens: 1,
    seed: 0,
  };
  assert.equal(chooseToken(Float32Array.of(1, 3, -2), [], sampling, new Random(1)), 1);
});

test('random numbers: the same for a seed, others for another stream, normal with mean 0 and variance 1', () => {
  const take = (random: Random) => Array.from({ length: 5 }, () => random.uniform());
  assert.deepEqual(take(new Random(1, 2)), take(new Random(1, 2)));
  assert.notDeepEqual(take(new Random(1, 2)), take(new Random(1, 3)));
  const random = new Random(5);
  const values = Array.from({ length: 20000 }, () => random.normal());
  const mean = values.reduce((a, b) => a + b) / values.length;
  const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.04);
});

test('sizes to compile for', () => {
  assert.deepEqual([1, 16, 17, 65, 500, 513].map(bucketLength), [16, 16, 32, 128, 512, 768]);
  assert.deepEqual(
    [bucketCapacity(100, 8192), bucketCapacity(300, 8192), bucketCapacity(9000, 8192)],
    [128, 512, 9024],
  );
});

test('nothing is chosen among values that are not numbers', () => {
  const sampling = { ...OPEN, do_sample: false, repetition_penalty: 1, max_new_tokens: 1, seed: 0 };
  const choose = (): number => chooseToken(Float32Array.of(1, NaN, 2), [], sampling, new Random(0, 0));
  assert.throws(choose, { code: 'engine.notNumbers' });
});
