import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { formatBytes, formatDuration, formatLoss, formatRate } from '../../../src/cli/format';
import { Output, type OutputStream } from '../../../src/cli/output';
import { LineProgress } from '../../../src/cli/progress';
import { testContext, TextSink } from './support';

test('results go to standard output, remarks and errors to standard error', () => {
  const { output, stdout, stderr } = testContext();
  output.result('a result');
  output.info('a remark');
  output.error('Error:', { message: 'no', remedy: 'try again' });
  assert.deepEqual(stdout.lines, ['a result']);
  assert.deepEqual(stderr.lines, ['a remark', 'Error: no', 'try again']);
});

test('with --json there are no remarks and no progress', () => {
  const { output, stdout, stderr } = testContext({ json: true });
  output.info('a remark');
  const progress = output.progress({ total: 2, label: 'rows' });
  progress.update(1);
  progress.stop();
  output.record({ a: 0.1 });
  assert.deepEqual(stdout.lines, ['{"a":0.1}']);
  assert.equal(stderr.text, '');
});

test('a pipe gets whole lines without control characters', () => {
  const { output, stderr } = testContext();
  const progress = output.progress({ total: 4, label: 'step' });
  for (let step = 1; step <= 4; step += 1) progress.update(step, `loss ${step}`);
  progress.stop();
  assert.deepEqual(stderr.lines, [
    'step 1/4 loss 1',
    'step 2/4 loss 2',
    'step 3/4 loss 3',
    'step 4/4 loss 4',
  ]);
  assert.ok(!stderr.text.includes('\r') && !stderr.text.includes('\u001b'));
});

test('a pipe gets about twenty lines of long work, and one after ten silent seconds', () => {
  const lines: string[] = [];
  let now = 0;
  const progress = new LineProgress(
    (line) => lines.push(line),
    { total: 1000, label: 'rows' },
    () => now,
  );
  for (let value = 1; value <= 1000; value += 1) progress.update(value);
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), 'rows 1000/1000');
  progress.setTotal(1_000_000);
  progress.update(1001);
  const before = lines.length;
  now = 9_999;
  progress.update(1002);
  assert.equal(lines.length, before);
  now = 10_000;
  progress.update(1003);
  assert.equal(lines.length, before + 1);
});

test('a reader that went away does not end the work', async () => {
  const stdout = new PassThrough();
  const output = new Output({
    stdout,
    stderr: new TextSink(),
    json: false,
    terminal: false,
  });
  stdout.destroy(new Error('EPIPE'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(output.closed, true);
  output.result('lost');
  await output.drained();
  await output.flush();
});

test('a bar on a terminal shows count and detail, and lines stay above it', () => {
  const stderr = new TextSink();
  const terminal = Object.assign(stderr as OutputStream, { isTTY: true, columns: 100 });
  const output = new Output({
    stdout: new TextSink(),
    stderr: terminal,
    json: false,
    terminal: true,
  });
  const progress = output.progress({ total: 10, label: 'step' });
  progress.update(3, 'loss 2.5');
  output.info('checkpoint');
  progress.stop();
  assert.match(stderr.text, /step 3\/10 loss 2\.5/);
  assert.match(stderr.text, /checkpoint/);
});

test('numbers read well', () => {
  assert.equal(formatDuration(0), '0:00');
  assert.equal(formatDuration(65), '1:05');
  assert.equal(formatDuration(3723), '1:02:03');
  assert.equal(formatBytes(999), '999 B');
  assert.equal(formatBytes(1_230_000), '1.23 MB');
  assert.equal(formatBytes(194_000_000), '194.0 MB');
  assert.equal(formatLoss(1.23456), '1.2346');
  assert.equal(formatLoss(Number.NaN), 'NaN');
  assert.equal(formatLoss(null), 'NaN');
  assert.equal(formatRate(1e-4), '1.00e-4');
  assert.equal(formatRate(0), '0');
});
