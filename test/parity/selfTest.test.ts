import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { engineReport } from '../../src/engine/report';
import { openTestEngine } from './engine';

before(openTestEngine);

test('graph and tfjs agree on loss and gradients of a tiny model', async () => {
  const report = await engineReport();
  assert.ok(report.selfTest.ok, `largest difference ${report.selfTest.maxDifference}`);
  assert.match(report.tfjs, /^tensorflow 4\.22/);
  assert.equal(report.devices[0], 'CPU');
});
