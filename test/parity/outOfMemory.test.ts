/** Memory that runs out is an error of the engine, and the trainer goes on with smaller micro-batches. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { backend } from '../../src/engine/backend/backend';
import { train } from '../../src/engine/train/trainer';
import type { RunEvent } from '../../src/protocol/events';
import { parseRunFile } from '../../src/protocol/run';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';

const ROWS = 16;

before(openTestEngine);

test('a tensor that is too large for the machine is an error, not the end of the process', async () => {
  const session = backend().openSession();
  const program = session.compile((graph) => {
    const huge = graph.fill([1 << 20, 1 << 20], 1, 'float32');
    return { inputs: [], outputs: [graph.sum(huge, [0, 1])], effects: [] };
  });
  await assert.rejects(program.run([]), { code: 'engine.outOfMemory' });
  await session.close();
});

/** One step over rows of 250 tokens. */
async function trainOnce(autoBatchSize: boolean): Promise<RunEvent[]> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'glmtune-memory-'));
  const rows = path.join(directory, 'rows.jsonl');
  const row = (r: number): string => {
    const ids = Array.from({ length: 250 }, (_, t) => (r * 37 + t * 11) % 600);
    return JSON.stringify({ input_ids: ids, labels: ids.map((id, t) => (t < 240 ? -100 : id)) });
  };
  writeFileSync(rows, Array.from({ length: ROWS }, (_, r) => row(r)).join('\n'));
  const parsed = parseRunFile({
    name: 'memory',
    model: fixture('models/chatglm3'),
    dataset: { train: rows },
    method: { type: 'lora' },
    training: { max_steps: 2, batch_size: ROWS, auto_batch_size: autoBatchSize },
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const events: RunEvent[] = [];
  await train({
    run: parsed.run,
    runDirectory: directory,
    resumeFrom: null,
    versions: {},
    emit: (event) => events.push(event),
    stopRequested: () => 'no',
  });
  return events;
}

test('micro-batches that would not fit are halved, and the steps stay the same', async () => {
  const whole = await trainOnce(false);
  process.env.GLMTUNE_MEMORY_LIMIT_MB = String(process.memoryUsage.rss() / 1e6 + 10);
  try {
    const halved = await trainOnce(true);
    const sizes = halved.flatMap((event) =>
      event.type === 'warning' && event.code === 'batchHalved' ? [event.args.rows] : [],
    );
    assert.deepEqual(sizes, [8, 4, 2, 1].slice(0, sizes.length));
    assert.ok(sizes.length > 0);
    const steps = (events: RunEvent[]) => events.filter((event) => event.type === 'step');
    steps(whole).forEach((step, i) => {
      const other = steps(halved)[i];
      assert.deepEqual(other.rows, step.rows);
      assert.ok(Math.abs(other.loss - step.loss) < 1e-5);
      assert.ok(Math.abs(other.grad_norm / step.grad_norm - 1) < 1e-4);
    });
    const unchanged = (await trainOnce(false)).filter((event) => event.type === 'warning');
    assert.ok(unchanged.every(({ code }) => code !== 'batchHalved'));
  } finally {
    delete process.env.GLMTUNE_MEMORY_LIMIT_MB;
  }
});
