import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { lintFile, readLines, readRecords } from '../../../src/dataset';
import { GlmError } from '../../../src/protocol/errors';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('reading files', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'glm-dataset-'));
  });
  after(() => rm(directory, { recursive: true }));

  async function write(name: string, content: string | Uint8Array): Promise<string> {
    const file = path.join(directory, name);
    await writeFile(file, content);
    return file;
  }

  async function linesOf(file: string) {
    return collect(readLines(file));
  }

  it('splits at newlines and takes off carriage returns', async () => {
    const file = await write('endings.jsonl', '{"a":1}\r\n\n{"b":"你"}\nlast');
    const lines = await linesOf(file);
    assert.deepEqual(
      lines.map(({ text }) => text),
      ['{"a":1}', '', '{"b":"你"}', 'last'],
    );
    assert.deepEqual(
      lines.map(({ line }) => line),
      [0, 1, 2, 3],
    );
    assert.deepEqual(
      lines.map(({ crlf }) => crlf),
      [true, false, false, false],
    );
  });

  it('does not take the end of the file for a line', async () => {
    assert.equal((await linesOf(await write('one.jsonl', 'x\n'))).length, 1);
    assert.equal((await linesOf(await write('empty.jsonl', ''))).length, 0);
  });

  it('keeps characters and lines together that lie across its chunks', async () => {
    const expected = Array.from({ length: 3000 }, (_, index) => `{"text":"${'你好😀'.repeat(index % 400)}"}`);
    expected[1500] = `{"text":"${'长'.repeat(1_500_000)}"}`;
    const file = await write('large.jsonl', expected.join('\n') + '\n');
    const lines = await linesOf(file);
    assert.deepEqual(
      lines.map(({ text }) => text),
      expected,
    );
    assert.ok(lines.every(({ validUtf8 }) => validUtf8));
  });

  it('marks the line that is not UTF-8, and only it', async () => {
    const gbk = Buffer.from([0x7b, 0x22, 0xc4, 0xe3, 0xba, 0xc3, 0x22, 0x7d]);
    const file = await write(
      'gbk.jsonl',
      Buffer.concat([Buffer.from('{"text":"你"}\n'), gbk, Buffer.from('\n{"text":"好"}')]),
    );
    assert.deepEqual(
      (await linesOf(file)).map(({ validUtf8 }) => validUtf8),
      [true, false, true],
    );
    const { findings, records } = await lintFile(file);
    assert.equal(records, 2);
    assert.deepEqual(
      findings.map(({ rule, line, start }) => [rule, line, start]),
      [['glm/encoding', 1, 2]],
    );
  });

  it('says that a file is not there', async () => {
    const missing = path.join(directory, 'missing.jsonl');
    await assert.rejects(
      linesOf(missing),
      (error) => error instanceof GlmError && error.code === 'dataset.notFound',
    );
  });

  it('stops when it is told to', async () => {
    const file = await write('abort.jsonl', '{}\n');
    await assert.rejects(collect(readLines(file, AbortSignal.abort())), { name: 'AbortError' });
  });

  it('hands training exactly the lines in which the linter finds no error', async () => {
    const sample = path.resolve('media/samples/broken.jsonl');
    const { findings, records } = await lintFile(sample);
    const items = await collect(readRecords(sample));
    const kept = items.flatMap((item) => ('record' in item ? [item.line] : []));
    const dropped = items.flatMap((item) => ('dropped' in item ? [item.line] : []));
    assert.equal(kept.length, records);
    const errors = new Set(
      findings.filter(({ severity }) => severity === 'error').map(({ line }) => line + 1),
    );
    assert.deepEqual(
      kept.filter((line) => errors.has(line)),
      [],
    );
    for (const line of errors) assert.ok(dropped.includes(line), `line ${line}`);
  });

  it('counts records from 1 and skips blank lines', async () => {
    const file = await write('blank.jsonl', '\n{"text":"a"}\n  \n{"text":""}\n');
    const items = await collect(readRecords(file));
    assert.deepEqual(
      items.map((item) => [item.line, 'record' in item]),
      [
        [2, true],
        [4, false],
      ],
    );
  });
});
