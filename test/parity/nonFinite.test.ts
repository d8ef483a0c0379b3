/** A loss that is not finite is an event and ends the run; nothing is hidden and nothing trained on it. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { train } from '../../src/engine/train/trainer';
import type { RunEvent } from '../../src/protocol/events';
import { parseRunFile } from '../../src/protocol/run';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';

before(openTestEngine);

/** Trains with a rate that ruins the weights in the first update. */
async function ruin(everySteps: number): Promise<{ events: RunEvent[]; error: unknown }> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'glmtune-nonfinite-'));
  const rows = path.join(directory, 'rows.jsonl');
  writeFileSync(rows, '{"input_ids":[5,6,7,8],"labels":[-100,6,7,8]}\n'.repeat(2));
  const parsed = parseRunFile({
    name: 'ruin',
    model: fixture('models/chatglm3'),
    dataset: { train: rows, validation: rows },
    method: { type: 'full' },
    training: { max_steps: 3, learning_rate: 1e30, warmup_ratio: 0, max_grad_norm: 0 },
    evaluation: { every_steps: everySteps },
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const events: RunEvent[] = [];
  const request = { run: parsed.run, runDirectory: directory, resumeFrom: null, versions: {} };
  const error: unknown = await train({
    ...request,
    emit: (event) => events.push(event),
    stopRequested: () => 'no',
  }).catch((thrown: unknown) => thrown);
  return { events, error };
}

test('the evaluation loss', async () => {
  const { events, error } = await ruin(1);
  const last = events.at(-1);
  assert.ok(last?.type === 'eval' && !Number.isFinite(last.loss));
  const { code, args } = error as { code: string; args: object };
  assert.deepEqual([code, args], ['engine.nonFinite', { what: 'eval loss', step: 1, rows: '1, 2' }]);
});

test('the training loss', async () => {
  const { events, error } = await ruin(0);
  const last = events.at(-1);
  assert.ok(last?.type === 'step' && last.step === 2 && !Number.isFinite(last.loss));
  const { code, args } = error as { code: string; args: object };
  assert.equal(code, 'engine.nonFinite');
  assert.equal((args as { what: string }).what, 'loss');
});
