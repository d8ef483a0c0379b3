import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { TextStream } from '../../../src/cli/chat/answer';
import {
  encodePromptRow,
  encodeScoreRow,
  rowMaxNewTokens,
  type RowEncoder,
} from '../../../src/cli/rows/encodeRow';
import { readRows, type Row } from '../../../src/cli/rows/readRows';
import { openRowWriter } from '../../../src/cli/rows/rowWriter';
import { loadTokenizer } from '../../../src/tokenizer/load';
import { fixture } from '../fixtures';
import { temporaryDirectory, testContext } from './support';

const encoder: RowEncoder = {
  bundle: () => loadTokenizer(fixture('tokenizers/chatglm3'), { vocabSize: 672 }),
  maxLength: 32,
  vocabSize: 672,
};

function row(value: Row['value']): Row {
  return { path: 'rows.jsonl', line: 7, value, text: JSON.stringify(value) };
}

test('token ids are taken as they are, checked against the vocabulary and the longest row', async () => {
  assert.deepEqual(await encodeScoreRow(row({ input_ids: [1, 671] }), encoder), {
    inputIds: [1, 671],
    labels: null,
  });
  assert.deepEqual(await encodeScoreRow(row({ input_ids: [1, 2], labels: [-100, 2] }), encoder), {
    inputIds: [1, 2],
    labels: [-100, 2],
  });
  const refused: [Row['value'], string][] = [
    [{ input_ids: [1, 672] }, 'input.tokenRange'],
    [{ input_ids: [] }, 'input.badField'],
    [{ input_ids: [1.5] }, 'input.badField'],
    [{ input_ids: [1, 2], labels: [1] }, 'input.badField'],
    [{ input_ids: Array<number>(33).fill(1) }, 'input.tooLong'],
    [{ nothing: 1 }, 'input.unknownRow'],
    [{ messages: [{ role: 'user', content: 1 }] }, 'input.badRow'],
  ];
  for (const [value, code] of refused)
    await assert.rejects(encodeScoreRow(row(value), encoder), { code }, JSON.stringify(value));
});

test('a prompt, one message and a record with an answer ask for the same', async () => {
  const prompt = await encodePromptRow(row({ prompt: 'hi' }), encoder);
  const messages = await encodePromptRow(row({ messages: [{ role: 'user', content: 'hi' }] }), encoder);
  const record = await encodePromptRow(row({ prompt: 'hi', response: 'yes' }), encoder);
  assert.deepEqual(messages, prompt);
  const answered = { role: 'assistant', content: 'hello' };
  const again = await encodePromptRow(
    row({ messages: [{ role: 'user', content: 'hi' }, answered] }),
    encoder,
  );
  assert.deepEqual(again, prompt);
  assert.deepEqual(record, prompt);
  await assert.rejects(encodePromptRow(row({ messages: [{ role: 'king', content: 'hi' }] }), encoder), {
    code: 'input.badField',
    args: { path: 'rows.jsonl', line: 7, field: 'messages[0].role', expected: 'role' },
  });
});

test('a text to continue or to score has no stop token at its end', async () => {
  const { template, tokenizer } = await encoder.bundle();
  const ids = await encodePromptRow(row({ text: 'hello' }), encoder);
  assert.deepEqual(ids.slice(2), tokenizer.encode('hello'));
  assert.ok(!template.stopIds.includes(ids.at(-1) ?? -1));
  assert.deepEqual(await encodeScoreRow(row({ text: 'hello' }), encoder), { inputIds: ids, labels: null });
});

test('a row may have its own length of answer', () => {
  assert.equal(rowMaxNewTokens(row({ max_new_tokens: 3 }), 8), 3);
  assert.equal(rowMaxNewTokens(row({}), 8), 8);
  assert.throws(() => rowMaxNewTokens(row({ max_new_tokens: 0 }), 8), { code: 'input.badField' });
});

test('rows keep their line numbers over blank lines', async () => {
  using directory = temporaryDirectory();
  const file = path.join(directory.path, 'rows.jsonl');
  writeFileSync(file, '\uFEFF{"a":1}\r\n\r\n{"a":2}');
  const rows: Row[] = [];
  for await (const found of readRows(file, 'a')) rows.push(found);
  assert.deepEqual(
    rows.map(({ line, value }) => [line, value]),
    [
      [1, { a: 1 }],
      [3, { a: 2 }],
    ],
  );
});

test('an output file appears whole or not at all', async () => {
  using directory = temporaryDirectory();
  const file = path.join(directory.path, 'out.jsonl');
  const { output } = testContext();
  const abandoned = openRowWriter(output, file);
  await abandoned.write({ a: 1 });
  abandoned.abandon();
  assert.deepEqual(readdirSync(directory.path), []);
  const writer = openRowWriter(output, file);
  await writer.write({ a: Math.fround(0.1) });
  assert.equal(existsSync(file), false);
  writer.commit();
  writer.abandon();
  assert.equal(readFileSync(file, 'utf8'), '{"a":0.10000000149011612}\n');
});

test('streamed text never ends inside a character', () => {
  const pieces: string[] = [];
  const texts = ['a', 'a\uFFFD', 'a\uFFFD\uFFFD', 'a茶'];
  const stream = new TextStream(
    (ids) => texts[ids.length - 1] ?? '',
    (text) => pieces.push(text),
  );
  for (let id = 0; id < texts.length; id += 1) stream.push(id);
  stream.finish('a茶.');
  assert.deepEqual(pieces, ['a', '茶', '.']);
});

test('a directory or a device is not read as rows', async () => {
  using directory = temporaryDirectory();
  const rows = readRows(directory.path, '');
  await assert.rejects(rows.next(), { code: 'input.notAFile' });
});

test('an output that cannot be written is refused at once, under the name the user knows', () => {
  using directory = temporaryDirectory();
  const { output } = testContext();
  assert.throws(() => openRowWriter(output, directory.path), { code: 'input.notAFile' });
  const missing = path.join(directory.path, 'none');
  assert.throws(() => openRowWriter(output, path.join(missing, 'out.jsonl')), {
    code: 'ENOENT',
    path: missing,
  });
  assert.deepEqual(readdirSync(directory.path), []);
});
