import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  encodePromptRow,
  encodeScoreRow,
  rowMaxNewTokens,
  type RowEncoder,
} from '../../../src/cli/rows/encodeRow';
import { lengthBatches } from '../../../src/cli/rows/batches';
import { OrderedRows } from '../../../src/cli/rows/orderedRows';
import { requireNumbers } from '../../../src/cli/rows/score';
import type { GlmError } from '../../../src/protocol/errors';
import { readRows, type Row } from '../../../src/cli/rows/readRows';
import { openRowWriter } from '../../../src/cli/rows/rowWriter';
import { loadTokenizer } from '../../../src/tokenizer/load';
import { fixture } from '../fixtures';
import { temporaryDirectory, testContext } from './support';

const encoder: RowEncoder = {
  bundle: () => loadTokenizer(fixture('tokenizers/chatglm3'), { vocabSize: 672 }),
  maxLength: 32,
  vocabSize: 672,
  markers: null,
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
  const padded = { input_ids: [0, 0, 5, 6], labels: [-100, -100, -100, 6], attention_mask: [0, 0, 1, 1] };
  assert.deepEqual(await encodeScoreRow(row(padded), encoder), {
    inputIds: [5, 6],
    labels: [-100, 6],
    paddingBefore: 2,
  });
  assert.deepEqual(await encodePromptRow(row(padded), encoder), [5, 6]);
  const refused: [Row['value'], string][] = [
    [{ input_ids: [1, 2], attention_mask: [1] }, 'input.badField'],
    [{ input_ids: [1, 2], attention_mask: [0, 0] }, 'input.badField'],
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

test('a row of ChatGLM-6B ids needs what tells its context from its answer', async () => {
  const chatGlm = { ...encoder, markers: { sop: 4, masks: [6, 7] as const } };
  for (const ids of [
    [9, 6, 4],
    [9, 7, 4, 3],
  ])
    assert.deepEqual(await encodePromptRow(row({ input_ids: ids }), chatGlm), ids);
  const marker = async (ids: number[]): Promise<unknown> =>
    assert.rejects(encodeScoreRow(row({ input_ids: ids }), chatGlm), (error: GlmError) => {
      assert.equal(error.code, 'input.noMarker');
      found.push((error.args as { marker: string }).marker);
      return true;
    });
  const found: string[] = [];
  await marker([9, 6]);
  await marker([9, 4]);
  assert.deepEqual(found, ['<sop>', '[gMASK]']);
});

test('results are written in the order of their rows', async () => {
  const written: unknown[] = [];
  const ordered = new OrderedRows(async (result) => void written.push(result));
  await ordered.put(2, 'c');
  await ordered.put(1, 'b');
  assert.deepEqual(written, []);
  await ordered.put(0, 'a');
  assert.deepEqual(written, ['a', 'b', 'c']);
  await ordered.put(3, 'd');
  assert.deepEqual(written, ['a', 'b', 'c', 'd']);
});

test('rows of similar length are generated together, single ones in their order', () => {
  assert.deepEqual(lengthBatches([5, 1, 4, 1, 2], 2), [[1, 3], [4, 2], [0]]);
  assert.deepEqual(lengthBatches([5, 1, 4], 1), [[0], [1], [2]]);
  assert.deepEqual(lengthBatches([], 4), []);
});

test('what is not a number is an error, not null in the output', () => {
  const score = { tokens: [1, 2], logprobs: [null, -1], loss: 1, tokens_counted: 1 };
  assert.equal(requireNumbers(score), score);
  for (const wrong of [{ logprobs: [null, NaN] }, { logprobs: [null, -Infinity] }, { loss: NaN }])
    assert.throws(() => requireNumbers({ ...score, ...wrong }), { code: 'engine.notNumbers' });
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
