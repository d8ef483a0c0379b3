/**
 * Every family computed in bfloat16 and float16, against the float32 reference. No exactness is to be had there: the bounds say that
 * logits (standard deviation 1.6) are right up to the rounding of the matrices.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { loadModel } from '../../src/engine/loadModel';
import type { ComputeDType } from '../../src/engine/types';
import { fixture } from '../unit/fixtures';
import { ARCHITECTURES } from './architectures';
import { openTestEngine } from './engine';
import { readGolden, readGoldenJson, type ForwardCase } from './golden';
import { layerStates } from './layerStates';

before(openTestEngine);

interface Way {
  dtype: ComputeDType;
  /** Whether products are computed in the format, or in float32 from weights in it; see `multipliesBfloat16`. */
  bfloat16: 'native' | 'widened';
  /** Root mean square of the differences: the relative step of the format times what a few layers make of it. */
  bound: number;
}

const WAYS: Way[] = [
  { dtype: 'bfloat16', bfloat16: 'native', bound: 0.05 },
  { dtype: 'bfloat16', bfloat16: 'widened', bound: 0.02 },
  { dtype: 'float16', bfloat16: 'native', bound: 0.005 },
];

for (const architecture of ARCHITECTURES)
  for (const { dtype, bfloat16, bound } of WAYS)
    test(`${architecture}: logits in ${dtype}, ${bfloat16}`, async () => {
      process.env.GLMTUNE_BFLOAT16 = bfloat16;
      const [single] = readGoldenJson<{ batches: ForwardCase[] }>(
        `golden/${architecture}/forward.json`,
      ).batches;
      const expected = readGolden(`golden/${architecture}`, single.logits);
      const directory = fixture(`models/${architecture}`);
      const resident = await loadModel({ directory, dtype, trainable: false });
      const { logits } = await layerStates(resident, single.input_ids[0]);
      const { vocabSize } = resident.model;
      let squares = 0;
      single.logits_at.forEach(([, column], row) => {
        for (let id = 0; id < vocabSize; id++)
          squares += (logits[column * vocabSize + id] - expected[row * vocabSize + id]) ** 2;
      });
      const typical = Math.sqrt(squares / expected.length);
      assert.ok(typical < bound, `logits differ by ${typical}`);
      await resident.close();
    });
