/** Datasets as a run reads them: what becomes of every row is counted. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { readConfig } from '../../../src/checkpoint/config';
import { createModel } from '../../../src/engine/glm/registry';
import { readRunData } from '../../../src/engine/train/data';
import { parseRunFile } from '../../../src/protocol/run';
import { fixture } from '../fixtures';

const root = mkdtempSync(path.join(tmpdir(), 'glmtune-data-'));
after(() => rmSync(root, { recursive: true, force: true }));

for (const name of ['ice_text.model', 'tokenizer_config.json'])
  copyFileSync(fixture(`tokenizers/chatglm-v1/${name}`), path.join(root, name));

test('ChatGLM-6B: one answer a row, and nothing is lost without being counted', async () => {
  const user = { role: 'user', content: 'a' };
  const assistant = { role: 'assistant', content: 'b' };
  const lines = [
    { messages: [user, assistant, user, assistant, user, assistant] },
    { messages: [user, { ...assistant, loss: false }, user, assistant] },
    { prompt: '长'.repeat(200), response: 'b' },
    { prompt: 'a', response: 'b '.repeat(200) },
    { messages: [user] },
  ];
  writeFileSync(path.join(root, 'train.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
  const parsed = parseRunFile({
    name: 'x',
    model: root,
    dataset: { train: path.join(root, 'train.jsonl'), max_length: 100 },
    method: { type: 'lora' },
  });
  assert.ok('run' in parsed);
  const model = createModel(readConfig(fixture('models/chatglm-v1')));
  const { train } = await readRunData(parsed.run, { model, maxLength: model.maxLength });
  assert.deepEqual(
    { ...train, rows: train.rows.map((row) => row.lines[0]) },
    {
      rows: [1, 2, 4],
      dropped: 2,
      tooLong: 1,
      refused: null,
      left: { count: 1, line: 3, reason: 'tooLong' },
      truncated: 1,
      contextTurns: 2,
    },
  );
});

test('where every row is left out for its length or its ids, the error says so', async () => {
  const model = createModel(readConfig(fixture('models/chatglm-v1')));
  const read = (records: object[]) => {
    const file = path.join(root, 'none.jsonl');
    writeFileSync(file, records.map((record) => JSON.stringify(record)).join('\n'));
    const parsed = parseRunFile({
      name: 'x',
      model: root,
      dataset: { train: file, max_length: 8 },
      method: { type: 'lora' },
    });
    assert.ok('run' in parsed);
    return readRunData(parsed.run, { model, maxLength: model.maxLength });
  };
  const long = { prompt: '长'.repeat(20), response: 'b' };
  const outside = { input_ids: [5, 99_999], labels: [-100, 99_999] };
  const refusal = (reason: string) => ({
    code: 'dataset.noRow',
    args: { path: path.join(root, 'none.jsonl'), rows: 2, line: 1, reason, maxLength: 8 },
  });
  await assert.rejects(read([long, long]), refusal('tooLong'));
  await assert.rejects(read([outside, outside]), refusal('tokenOutOfRange'));
  // A broken record is what linting finds.
  await assert.rejects(read([long, { prompt: 5 }]), { code: 'dataset.empty' });
});

test('rows that a chat template refuses are counted; a template that refuses all of them is the error', async () => {
  const directory = mkdtempSync(path.join(root, 'jinja-'));
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(fixture(`tokenizers/glm4-0414/${name}`), path.join(directory, name));
  const template = readFileSync(fixture('tokenizers/glm4-0414/chat_template.jinja'), 'utf8');
  const guard = "{% if messages|length > 2 %}{{ raise_exception('one question only') }}{% endif %}";
  writeFileSync(path.join(directory, 'chat_template.jinja'), guard + template);
  const turn = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
  ];
  const run = (records: object[]) => {
    writeFileSync(
      path.join(directory, 'train.jsonl'),
      records.map((record) => JSON.stringify(record)).join('\n'),
    );
    const parsed = parseRunFile({
      name: 'x',
      model: directory,
      dataset: { train: path.join(directory, 'train.jsonl') },
      method: { type: 'lora' },
    });
    assert.ok('run' in parsed);
    const model = createModel(readConfig(fixture('models/glm4-0414')));
    return readRunData(parsed.run, { model, maxLength: model.maxLength });
  };
  const { train } = await run([{ messages: turn }, { messages: [...turn, ...turn] }]);
  assert.equal(train.rows.length, 1);
  assert.deepEqual([train.dropped, train.refused?.count, train.refused?.line], [1, 1, 2]);
  await assert.rejects(run([{ messages: [...turn, ...turn] }]), {
    code: 'tokenizer.chatTemplateFailed',
  });
});
