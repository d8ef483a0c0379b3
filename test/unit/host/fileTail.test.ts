import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FileTail } from '../../../src/host/process/fileTail';
import { LineBuffer } from '../../../src/host/process/lines';

describe('LineBuffer', () => {
  it('joins a line and a character that arrive in pieces', () => {
    const bytes = Buffer.from('{"a":"茶馆"}\n{"b":1}\r\n\n{"c"', 'utf8');
    const buffer = new LineBuffer();
    const lines: string[] = [];
    for (const byte of bytes) lines.push(...buffer.push(Buffer.of(byte)));
    assert.deepEqual(
      lines.map((line) => line.trim()),
      ['{"a":"茶馆"}', '{"b":1}'],
    );
    assert.deepEqual(buffer.push(Buffer.from(':2}\n')), ['{"c":2}']);
  });

  it('drops a line beyond its limit and goes on with the next', () => {
    const buffer = new LineBuffer();
    const chunk = Buffer.alloc(1024 * 1024, 0x61);
    for (let sent = 0; sent < 20; sent += 1) assert.deepEqual(buffer.push(chunk), []);
    assert.deepEqual(buffer.push(Buffer.from('tail\nnext\n')), ['next']);
  });
});

describe('FileTail', () => {
  let directory: string;
  let file: string;
  let lines: string[];
  let tail: FileTail;

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'glmtune-tail-'));
    file = path.join(directory, 'events.jsonl');
    lines = [];
  });

  afterEach(() => {
    tail.dispose();
    rmSync(directory, { recursive: true });
  });

  const follow = (): FileTail =>
    new FileTail(
      file,
      (batch) => {
        if (batch.restarted) lines = [];
        lines.push(...batch.lines);
      },
      { pollMs: 20 },
    );

  it('waits for a file that is not there yet', async () => {
    tail = follow();
    await tail.refresh();
    writeFileSync(file, 'one\n');
    await tail.refresh();
    assert.deepEqual(lines, ['one']);
  });

  it('holds a torn line back until its rest is written', async () => {
    writeFileSync(file, 'one\n{"half":');
    tail = follow();
    await tail.refresh();
    assert.deepEqual(lines, ['one']);
    appendFileSync(file, '2}\n');
    await tail.refresh();
    assert.deepEqual(lines, ['one', '{"half":2}']);
  });

  it('starts again when the file was cut', async () => {
    writeFileSync(file, 'one\ntwo\nthree\n');
    tail = follow();
    await tail.refresh();
    truncateSync(file, 0);
    appendFileSync(file, 'new\n');
    await tail.refresh();
    assert.deepEqual(lines, ['new']);
  });

  it('starts again when the file was replaced by a longer one', async () => {
    writeFileSync(file, 'one\n');
    tail = follow();
    await tail.refresh();
    writeFileSync(`${file}.tmp`, 'first\nsecond\n');
    renameSync(`${file}.tmp`, file);
    await tail.refresh();
    assert.deepEqual(lines, ['first', 'second']);
  });

  it('finds growth by itself', async () => {
    writeFileSync(file, 'one\n');
    tail = follow();
    await tail.refresh();
    appendFileSync(file, 'two\n');
    for (let waited = 0; lines.length < 2 && waited < 5000; waited += 10) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual(lines, ['one', 'two']);
  });

  it('reads a file larger than one chunk', async () => {
    const expected = Array.from({ length: 40_000 }, (_, index) => `line ${index} 微调`);
    writeFileSync(file, `${expected.join('\n')}\n`);
    tail = follow();
    await tail.refresh();
    assert.deepEqual(lines, expected);
  });
});
