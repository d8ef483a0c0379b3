import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LossScale } from '../../../src/engine/train/lossScale';

test('grows and backs off as torch.amp.GradScaler', () => {
  const overflows = [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1];
  // torch 2.13.0 with growth_interval=3: scale and growth tracker after each update.
  const scales = [32768, 32768, 32768, 16384, 16384, 16384, 32768, 32768, 32768, 65536, 32768];
  const clean = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0];
  const scale = new LossScale(undefined, 3);
  const found = overflows.map((overflow) => {
    if (overflow) assert.ok(scale.overflowed());
    else scale.succeeded();
    return scale.saved;
  });
  assert.deepEqual(
    found,
    scales.map((value, i) => ({ scale: value, clean: clean[i] })),
  );
});

test('goes on from a saved state', () => {
  const first = new LossScale(undefined, 4);
  for (let i = 0; i < 3; i++) first.succeeded();
  const second = new LossScale(first.saved, 4);
  second.succeeded();
  assert.equal(second.value, 131072);
});

test('says when even a scale below 1 overflows', () => {
  const scale = new LossScale();
  const answers = Array.from({ length: 17 }, () => scale.overflowed());
  assert.deepEqual(answers, [...Array<boolean>(16).fill(true), false]);
});
