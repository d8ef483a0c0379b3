import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { EventLog } from '../../../src/cli/run/eventLog';
import { readRunFile } from '../../../src/cli/run/readRunFile';
import {
  chooseCheckpoint,
  lastEvent,
  listCheckpoints,
  prepareRunDirectory,
  readRun,
  removeLeftovers,
} from '../../../src/cli/run/runDirectory';
import { chooseRunDirectory } from '../../../src/process/chooseRunDirectory';
import type { RunEvent } from '../../../src/protocol/events';
import { directoryName } from '../../../src/protocol/runDirectory';
import { t, temporaryDirectory, writeProject } from './support';

const stopped = (step: number): RunEvent => ({ type: 'stopped', time: 't', step, checkpoint: null });

test('a run lies under runs/ beside its file, the next one of the name gets a number', () => {
  using directory = temporaryDirectory();
  const runFile = writeProject(directory.path);
  const { run } = readRunFile(t, runFile);
  const choose = (): string => chooseRunDirectory({ run, runFile, explicit: null, overwrite: false });
  assert.equal(choose(), path.join(directory.path, 'runs', 'first'));
  mkdirSync(choose(), { recursive: true });
  assert.equal(choose(), path.join(directory.path, 'runs', 'first-2'));
  mkdirSync(choose());
  assert.equal(choose(), path.join(directory.path, 'runs', 'first-3'));
});

test('a named directory that holds a run is only overwritten on demand, and foreign files stay', () => {
  using directory = temporaryDirectory();
  const runFile = writeProject(directory.path, { output_dir: 'here' });
  const { run } = readRunFile(t, runFile);
  const here = path.join(directory.path, 'here');
  mkdirSync(path.join(here, 'checkpoints', 'step-1'), { recursive: true });
  for (const name of ['run.json', 'events.jsonl', 'notes.txt']) writeFileSync(path.join(here, name), '{}');
  const choose = (overwrite: boolean): string =>
    chooseRunDirectory({ run, runFile, explicit: null, overwrite });
  assert.throws(() => choose(false), { code: 'run.exists' });
  assert.equal(choose(true), here);
  prepareRunDirectory(here, false);
  assert.ok(existsSync(path.join(here, 'run.json')));
  prepareRunDirectory(here, true);
  assert.deepEqual(readdirSync(here), ['notes.txt']);
});

test('a directory that an editor made with a log in it is free', () => {
  using directory = temporaryDirectory();
  const runFile = writeProject(directory.path);
  const explicit = path.join(directory.path, 'mine');
  mkdirSync(explicit);
  writeFileSync(path.join(explicit, 'process.log'), '');
  const { run } = readRunFile(t, runFile);
  assert.equal(chooseRunDirectory({ run, runFile, explicit, overwrite: false }), explicit);
});

test('a relative output directory is relative to the run file', () => {
  using directory = temporaryDirectory();
  const runFile = path.join(directory.path, 'a.glmtune.json');
  const choose = (): string => chooseRunDirectory({ run: { name: 'a', output_dir: 'here' }, runFile });
  assert.equal(choose(), path.join(directory.path, 'here'));
  mkdirSync(choose());
  writeFileSync(path.join(choose(), 'run.json'), '{}');
  assert.throws(choose, { code: 'run.exists' });
});

test('names become directory names on every platform', () => {
  assert.equal(directoryName('茶馆 问答'), '茶馆 问答');
  assert.equal(directoryName('a/b:c'), 'a-b-c');
  assert.equal(directoryName('../..'), '-');
  assert.equal(directoryName('...'), 'run');
});

test('the newest checkpoint is taken by number, unfinished ones are not seen', () => {
  using directory = temporaryDirectory();
  for (const name of ['step-9', 'step-10', 'step-11.tmp-5'])
    mkdirSync(path.join(directory.path, 'checkpoints', name), { recursive: true });
  writeFileSync(path.join(directory.path, 'checkpoints', 'step-12'), '');
  assert.deepEqual(
    listCheckpoints(directory.path).map(({ name }) => name),
    ['step-9', 'step-10'],
  );
  const at = (name: string): string => path.join(directory.path, 'checkpoints', name);
  assert.equal(chooseCheckpoint(directory.path, null), at('step-10'));
  for (const wanted of ['step-9', '9', 'checkpoints/step-9/'])
    assert.equal(chooseCheckpoint(directory.path, wanted), at('step-9'));
  assert.throws(() => chooseCheckpoint(directory.path, 'step-11'), {
    code: 'run.checkpointNotFound',
    args: { path: directory.path, checkpoint: 'step-11', available: 'step-9, step-10' },
  });
});

test('a run without checkpoints or without run.json says so', () => {
  using directory = temporaryDirectory();
  assert.throws(() => chooseCheckpoint(directory.path, null), { code: 'run.noCheckpoint' });
  assert.throws(() => readRun(t, directory.path), { code: 'run.notFound' });
  writeFileSync(path.join(directory.path, 'run.json'), '{"name":');
  assert.throws(() => readRun(t, directory.path), { code: 'run.invalidFile' });
});

test('events are appended as whole lines, also after a torn one', () => {
  using directory = temporaryDirectory();
  const file = path.join(directory.path, 'events.jsonl');
  writeFileSync(file, `${JSON.stringify(stopped(1))}\n{"type":"st`);
  const log = new EventLog(directory.path);
  log.append(stopped(2));
  log.append({ type: 'warning', code: 'fewRows', args: { count: 3 } });
  log.close();
  const lines = readFileSync(file, 'utf8').split('\n');
  assert.equal(lines.length, 5);
  assert.equal(lines[1], '{"type":"st');
  assert.deepEqual(JSON.parse(lines[2] ?? ''), stopped(2));
  assert.deepEqual(lastEvent(directory.path, ['stopped']), stopped(2));
  assert.equal(lastEvent(directory.path, ['done']), null);
});

test('a loss that is not finite is kept as null, not dropped', () => {
  using directory = temporaryDirectory();
  const log = new EventLog(directory.path);
  const event = {
    type: 'eval',
    step: 1,
    epoch: 1,
    loss: Number.NaN,
    perplexity: 1,
    token_accuracy: 0,
    seconds: 1,
  };
  log.append(event as RunEvent);
  log.close();
  assert.match(readFileSync(path.join(directory.path, 'events.jsonl'), 'utf8'), /"loss":null/);
});

test('what a killed process had begun to write is removed, and nothing else', () => {
  using directory = temporaryDirectory();
  const checkpoints = path.join(directory.path, 'checkpoints');
  mkdirSync(path.join(checkpoints, 'step-5'), { recursive: true });
  mkdirSync(path.join(checkpoints, 'step-10.tmp-123'));
  writeFileSync(path.join(checkpoints, 'step-10.tmp-123', 'state.json'), '{');
  writeFileSync(path.join(directory.path, 'run.json.tmp-123'), '{');
  writeFileSync(path.join(directory.path, 'run.json'), '{}');
  removeLeftovers(directory.path);
  assert.deepEqual(readdirSync(checkpoints), ['step-5']);
  assert.deepEqual(readdirSync(directory.path).sort(), ['checkpoints', 'run.json']);
});
