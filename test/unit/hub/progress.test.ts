import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DownloadMeter } from '../../../src/hub/progress';

test('reports come at most every 100 ms, and the newest state is never left out', ({ mock }) => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const reported: number[] = [];
  const meter = new DownloadMeter(({ received_bytes }) => reported.push(received_bytes));
  meter.setTotal(10);
  const receive = (bytes: number): void => {
    meter.set('a', bytes);
    meter.report('downloading', 'a');
  };
  [1, 2, 3].forEach(receive);
  assert.deepEqual(reported, [1]);
  mock.timers.tick(100);
  assert.deepEqual(reported, [1, 3]);
  mock.timers.tick(100);
  [4, 10].forEach(receive);
  mock.timers.tick(1000);
  assert.deepEqual(reported, [1, 3, 4, 10]);
});

test('an ended meter is silent', ({ mock }) => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const reported: number[] = [];
  const meter = new DownloadMeter(({ received_bytes }) => reported.push(received_bytes));
  meter.setTotal(10);
  for (const bytes of [1, 2]) {
    meter.set('a', bytes);
    meter.report('downloading', 'a');
  }
  meter.end();
  mock.timers.tick(1000);
  assert.deepEqual(reported, [1]);
});
