/** Datasets as a run reads them: what becomes of every row is counted. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
    { rows: [1, 2, 4], dropped: 2, tooLong: 1, truncated: 1, contextTurns: 2 },
  );
});
