import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EvalEvent, RunEvent, StepEvent } from '../../../src/protocol/events';
import { PointBatch } from '../../../src/workbench/runPanel/pointFeed';
import { RunSeries } from '../../../webview/runs/series';

const step = (number: number, loss: number): RunEvent =>
  ({ type: 'step', step: number, epoch: 0, loss, lr: 1, grad_norm: 1, tokens_per_second: 1 }) as StepEvent;
const evaluation = (number: number, loss: number): RunEvent =>
  ({ type: 'eval', step: number, loss }) as EvalEvent;
const resumed = (number: number): RunEvent => ({ type: 'resumed', time: '', step: number, checkpoint: '' });

/** What a view shows after the events, handed over in one batch or in one batch each. */
function shown(events: RunEvent[], each: boolean): RunSeries {
  const series = new RunSeries();
  const batch = new PointBatch(true);
  const hand = (): void => {
    const message = batch.take();
    if (message) series.apply(message);
  };
  for (const event of events) {
    batch.add(event);
    if (each) hand();
  }
  hand();
  return series;
}

describe('points on their way to the panel', () => {
  const events = [
    step(1, 3),
    step(2, 2),
    evaluation(2, 2.5),
    step(3, 1),
    evaluation(3, 1.5),
    resumed(2),
    step(3, 1.1),
    step(4, 0.9),
  ];

  it('are the same whether they arrive together or one by one', () => {
    for (const each of [true, false]) {
      const series = shown(events, each);
      assert.deepEqual(series.steps.step, [1, 2, 3, 4], `each: ${each}`);
      assert.deepEqual(series.steps.loss, [3, 2, 1.1, 0.9]);
      assert.deepEqual(series.evals.step, [2]);
      assert.equal(series.steps.lr.length, 4);
    }
  });

  it('replace what a view had when they begin anew', () => {
    const series = shown(events, false);
    const batch = new PointBatch(true);
    batch.add(step(1, 9));
    const message = batch.take();
    assert.ok(message);
    series.apply(message);
    assert.deepEqual(series.steps.loss, [9]);
    assert.deepEqual(series.evals.step, []);
  });

  it('make a gap of a loss that is no number', () => {
    const broken = { ...step(1, 0), loss: null } as unknown as RunEvent;
    assert.deepEqual(shown([broken], true).steps.loss, [null]);
  });

  it('are not sent when there are none', () => {
    assert.equal(new PointBatch(true).take(), null);
  });

  it('set evaluations beside steps, and before the first one', () => {
    const { x, columns } = shown(
      [evaluation(0, 4), step(1, 3), step(2, 2), evaluation(2, 2.5)],
      false,
    ).aligned([[3, 2]]);
    assert.deepEqual(x, [0, 1, 2]);
    assert.deepEqual(columns, [
      [null, 3, 2],
      [4, null, 2.5],
    ]);
  });
});
