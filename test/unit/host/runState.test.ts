import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunEvent, StepEvent } from '../../../src/protocol/events';
import {
  canResume,
  emptyProgress,
  reduceEvent,
  remainingSeconds,
  runPhase,
  type RunProgress,
} from '../../../src/host/runs/runState';

const started: RunEvent = {
  type: 'started',
  time: '2026-01-01T00:00:00Z',
  name: 'test',
  model: '/m',
  architecture: 'chatglm3',
  method: 'lora',
  dtype: 'float32',
  device: 'CPU',
  versions: {},
  trainable_parameters: 1,
  total_parameters: 2,
  train_rows: 10,
  validation_rows: 0,
  dropped_rows: 0,
  truncated_rows: 0,
  total_steps: 10,
  epochs: 1,
  effective_batch_size: 1,
  longest_row: 8,
};

function step(number: number, seconds: number): StepEvent {
  return {
    type: 'step',
    step: number,
    epoch: number / 10,
    loss: 3 - number / 10,
    lr: 1e-4,
    grad_norm: 1,
    tokens: 100,
    tokens_per_second: 50,
    rows: [number],
    row_losses: [1],
    memory: 1,
    seconds,
  };
}

const checkpoint = (at: number): RunEvent => ({ type: 'checkpoint', step: at, path: `c/${at}`, best: false });
const evaluation = (at: number): RunEvent => ({
  type: 'eval',
  step: at,
  epoch: 0,
  loss: 1,
  perplexity: 2,
  token_accuracy: 0.5,
  seconds: 1,
});

function after(...events: RunEvent[]): RunProgress {
  return events.reduce(reduceEvent, emptyProgress());
}

describe('state of a run from its events', () => {
  it('prepares until the first step, then trains', () => {
    assert.equal(runPhase(after(), 'alive', false), 'preparing');
    assert.equal(runPhase(after(started), 'alive', false), 'preparing');
    assert.equal(runPhase(after(started, step(1, 5)), 'alive', false), 'training');
    assert.equal(runPhase(after(started, step(1, 5)), 'alive', true), 'stopping');
  });

  it('is interrupted where the events go on but no process does', () => {
    const progress = after(started, step(1, 5), checkpoint(1));
    assert.equal(runPhase(progress, 'dead', false), 'interrupted');
    assert.equal(canResume(progress, 'interrupted'), true);
    assert.equal(canResume(after(started, step(1, 5)), 'interrupted'), false);
  });

  it('ends as its last decisive event says', () => {
    const stopped = after(started, step(1, 5), checkpoint(1), {
      type: 'stopped',
      time: '',
      step: 1,
      checkpoint: 'c/1',
    });
    assert.equal(runPhase(stopped, 'dead', false), 'stopped');
    assert.equal(canResume(stopped, 'stopped'), true);
    const failed = reduceEvent(stopped, {
      type: 'failed',
      time: '',
      step: 1,
      error: { code: 'engine.outOfMemory', args: { detail: '' } },
      message: '',
    });
    assert.equal(runPhase(failed, 'alive', false), 'failed');
  });

  it('drops what came after the checkpoint that a run was resumed from', () => {
    const progress = after(
      started,
      step(1, 5),
      step(2, 6),
      evaluation(2),
      checkpoint(2),
      step(3, 7),
      evaluation(3),
      checkpoint(3),
      { type: 'stopped', time: '', step: 3, checkpoint: 'c/3' },
      { type: 'resumed', time: '', step: 2, checkpoint: 'c/2' },
    );
    assert.equal(progress.lastStep?.step, 2);
    assert.deepEqual(
      progress.evals.map((event) => event.step),
      [2],
    );
    assert.deepEqual(
      progress.checkpoints.map((event) => event.step),
      [2],
    );
    assert.equal(runPhase(progress, 'alive', false), 'training');
    assert.equal(progress.stoppedAt, null);
  });

  it('leaves the state before an event as it was', () => {
    const before = after(started);
    reduceEvent(before, checkpoint(1));
    assert.equal(before.checkpoints.length, 0);
  });

  it('estimates the remaining time from the pace, without the warm-up', () => {
    // The first step takes 60 s of graph building; the pace after it is 2 s a step.
    const progress = after(started, step(1, 60), step(2, 62), step(3, 64));
    const estimate = remainingSeconds(progress);
    assert.ok(estimate !== null && Math.abs(estimate - 14) < 1e-9, String(estimate));
    assert.equal(remainingSeconds(after(started, step(1, 60))), null);
  });

  it('ignores events of a later version', () => {
    const unknown = { type: 'sample', text: 'x' } as unknown as RunEvent;
    assert.deepEqual(reduceEvent(after(started), unknown), after(started));
  });
});
