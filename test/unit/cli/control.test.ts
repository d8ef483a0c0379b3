import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { ControlServer } from '../../../src/cli/run/controlServer';
import { claimDirectory } from '../../../src/cli/run/processFile';
import { livingProcess } from '../../../src/process/livingProcess';
import { superviseTraining, type Trainer, type TrainingJob } from '../../../src/cli/run/supervise';
import type { ControlReply, ProcessFile } from '../../../src/protocol/control';
import { GlmError } from '../../../src/protocol/errors';
import type { RunEvent, StepEvent } from '../../../src/protocol/events';
import { parseRunFile, type RunFile } from '../../../src/protocol/run';
import { temporaryDirectory, testContext } from './support';

/** Sends lines over a connection of its own and collects as many replies. */
async function talk(address: string, lines: string[]): Promise<ControlReply[]> {
  const socket = connect(address);
  const replies: ControlReply[] = [];
  socket.write(lines.map((line) => `${line}\n`).join(''));
  for await (const line of createInterface({ input: socket })) {
    replies.push(JSON.parse(line) as ControlReply);
    if (replies.length === lines.length) break;
  }
  socket.destroy();
  return replies;
}

function readProcessFile(directory: string): ProcessFile {
  return JSON.parse(readFileSync(path.join(directory, 'process.json'), 'utf8')) as ProcessFile;
}

function readEvents(directory: string): RunEvent[] {
  const text = readFileSync(path.join(directory, 'events.jsonl'), 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RunEvent);
}

const run = (
  parseRunFile({ name: 'a', model: '/m', dataset: { train: '/t' }, method: { type: 'lora' } }) as {
    run: RunFile;
  }
).run;

function job(directory: string): TrainingJob {
  return { run, directory, resumeFrom: null, versions: {}, totalSteps: 100, prepare: () => undefined };
}

function step(number: number): StepEvent {
  return {
    type: 'step',
    step: number,
    epoch: 1,
    loss: 1,
    lr: 1e-4,
    grad_norm: 1,
    tokens: 10,
    tokens_per_second: 100,
    rows: [1],
    row_losses: [1],
    memory: 1,
    seconds: number,
  };
}

/** Trains by counting, one step every few milliseconds, and obeys stop requests as a trainer does. */
const counting: Trainer = {
  async train(request) {
    const emit = (event: RunEvent): void => request.emit(event);
    for (let number = 1; number <= 1000; number += 1) {
      emit(step(number));
      await new Promise((resolve) => setTimeout(resolve, 5));
      const stop = request.stopRequested();
      if (stop === 'no') continue;
      const checkpoint = stop === 'checkpoint' ? `checkpoints/step-${number}` : null;
      emit({ type: 'stopped', time: 't', step: number, checkpoint });
      return 'stopped';
    }
    return 'done';
  },
};

async function untilExists(file: string): Promise<void> {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('the control socket answers requests in order and refuses nonsense', async () => {
  const server = await ControlServer.listen((method) => ({
    state: method === 'stop' ? 'stopping' : 'training',
    step: 7,
  }));
  const directory = path.dirname(server.address);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  const replies = await talk(server.address, [
    '{"id":1,"method":"status"}',
    '{"id":2,"method":"stop"}',
    '{"id":3,"method":"reboot"}',
    'not json',
  ]);
  assert.deepEqual(replies[0], { id: 1, result: { state: 'training', step: 7 } });
  assert.deepEqual(replies[1], { id: 2, result: { state: 'stopping', step: 7 } });
  assert.equal(replies[2]?.error?.code, 'chat.badRequest');
  assert.equal(replies[3]?.id, -1);
  await server.close();
  assert.equal(existsSync(directory), false);
});

test('a directory belongs to one living process; a dead one leaves it free', async () => {
  using directory = temporaryDirectory();
  const server = await ControlServer.listen(() => ({ state: 'training', step: 0 }));
  const release = await claimDirectory(directory.path, server.address);
  assert.equal((await livingProcess(directory.path))?.pid, process.pid);
  await assert.rejects(claimDirectory(directory.path, 'other'), { code: 'run.busy' });
  release();
  assert.equal(await livingProcess(directory.path), null);
  await server.close();
  // The process id lives (it is ours), but nobody listens: the id was reused.
  const stale: ProcessFile = { pid: process.pid, started: 'then', socket: server.address };
  writeFileSync(path.join(directory.path, 'process.json'), JSON.stringify(stale));
  assert.equal(await livingProcess(directory.path), null);
  const again = await claimDirectory(directory.path, 'mine');
  assert.equal(readProcessFile(directory.path).socket, 'mine');
  again();
});

test('a run can be asked and stopped through its socket, and cleans up after itself', async () => {
  using directory = temporaryDirectory();
  const context = testContext();
  const finished = superviseTraining(context, counting, job(directory.path));
  await untilExists(path.join(directory.path, 'events.jsonl'));
  const { socket, pid } = readProcessFile(directory.path);
  assert.equal(pid, process.pid);
  const [status, stop] = await talk(socket, ['{"id":1,"method":"status"}', '{"id":2,"method":"stop"}']);
  assert.equal(status?.result?.state, 'training');
  assert.equal(stop?.result?.state, 'stopping');
  assert.equal(await finished, 0);
  const last = readEvents(directory.path).at(-1);
  assert.equal(last?.type, 'stopped');
  assert.match(String(last?.type === 'stopped' && last.checkpoint), /^checkpoints\/step-\d+$/);
  assert.equal(existsSync(path.join(directory.path, 'process.json')), false);
  assert.equal(existsSync(socket), false);
  assert.match(context.stderr.text, /To go on: chatglm-finetune resume /);
});

test('Ctrl-C stops with a checkpoint and the exit code says so', async () => {
  using directory = temporaryDirectory();
  const finished = superviseTraining(testContext(), counting, job(directory.path));
  await untilExists(path.join(directory.path, 'events.jsonl'));
  process.emit('SIGINT');
  assert.equal(await finished, 130);
  const last = readEvents(directory.path).at(-1);
  assert.ok(last?.type === 'stopped' && last.checkpoint !== null);
});

test('a second Ctrl-C stops without a checkpoint', async () => {
  using directory = temporaryDirectory();
  const finished = superviseTraining(testContext(), counting, job(directory.path));
  await untilExists(path.join(directory.path, 'events.jsonl'));
  process.emit('SIGINT');
  process.emit('SIGINT');
  assert.equal(await finished, 130);
  const last = readEvents(directory.path).at(-1);
  assert.ok(last?.type === 'stopped' && last.checkpoint === null);
});

test('a failure is an event with a sentence, and is thrown', async () => {
  using directory = temporaryDirectory();
  const context = testContext({ json: true });
  const failing: Trainer = {
    train(request) {
      request.emit(step(1));
      return Promise.reject(new GlmError('engine.nonFinite', { what: 'loss', step: 1, rows: '3, 4' }));
    },
  };
  await assert.rejects(superviseTraining(context, failing, job(directory.path)), {
    code: 'engine.nonFinite',
  });
  const last = readEvents(directory.path).at(-1);
  assert.ok(last?.type === 'failed');
  assert.equal(last.step, 1);
  assert.deepEqual(last.error, { code: 'engine.nonFinite', args: { what: 'loss', step: 1, rows: '3, 4' } });
  assert.match(last.message, /not a finite number in step 1 \(dataset lines 3, 4\)/);
  assert.deepEqual(
    context.stdout.lines.map((line) => (JSON.parse(line) as RunEvent).type),
    ['step', 'failed'],
  );
  assert.equal(existsSync(path.join(directory.path, 'process.json')), false);
});
