import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { checkData } from '../../../src/cli/run/checkData';
import { readRunFile } from '../../../src/cli/run/readRunFile';
import { t, temporaryDirectory, writeProject } from './support';

/** A run on the practice model's configuration, with or without its tokenizer. */
function projectIn(directory: string, train: string, withTokenizer: boolean): Promise<unknown> {
  const file = writeProject(directory);
  const files = withTokenizer ? ['config.json', 'tokenizer.model'] : ['config.json'];
  for (const name of files)
    copyFileSync(path.join('media', 'practice-model', name), path.join(directory, 'model', name));
  writeFileSync(path.join(directory, 'train.jsonl'), train);
  return checkData(readRunFile(t, file).run);
}

test('a dataset without a usable record is refused, with the number of lines read', async () => {
  using directory = temporaryDirectory();
  await assert.rejects(projectIn(directory.path, '{"a": 1}\n\nno JSON\n', true), {
    code: 'dataset.empty',
    args: { path: path.join(directory.path, 'train.jsonl'), rows: 2, dropped: 2 },
  });
});

test('a missing tokenizer is found where records are text, and does not matter where they are ids', async () => {
  using directory = temporaryDirectory();
  await assert.rejects(projectIn(directory.path, '{"prompt": "a", "response": "b"}\n', false), {
    code: 'tokenizer.notFound',
  });
  await projectIn(directory.path, '{"input_ids": [1, 2]}\n', false);
  await projectIn(directory.path, '{"prompt": "a", "response": "b"}\n', true);
});
