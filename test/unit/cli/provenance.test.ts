import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { checkUnchanged, describeProvenance } from '../../../src/cli/run/provenance';
import { readRunFile } from '../../../src/cli/run/readRunFile';
import type { Provenance } from '../../../src/protocol/runDirectory';
import { fixture } from '../fixtures';
import { t, temporaryDirectory } from './support';

const ADAPTER = 'chatglm3-train-lora-attn';

/** A run on a fixture's model that starts from a fixture's adapter. */
function project(directory: string): string {
  cpSync(fixture(`adapters/${ADAPTER}`), path.join(directory, 'before'), { recursive: true });
  writeFileSync(path.join(directory, 'train.jsonl'), '{"prompt": "a", "response": "b"}\n');
  const file = path.join(directory, 'a.glmtune.json');
  const run = {
    name: 'a',
    model: fixture('models/chatglm3'),
    adapter: 'before',
    dataset: { train: 'train.jsonl' },
    method: { type: 'lora' },
  };
  writeFileSync(file, JSON.stringify(run));
  return file;
}

test('the adapter that a run starts from is part of its provenance, to the last value', () => {
  using directory = temporaryDirectory();
  const file = project(directory.path);
  const describe = (): Provenance => describeProvenance(readRunFile(t, file).run, {});
  const then = describe();
  assert.match(then.adapter?.fingerprint ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(describe(), then);
  checkUnchanged(then, describe());
  const weights = path.join(directory.path, 'before', 'adapter_model.safetensors');
  const bytes = readFileSync(weights);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  writeFileSync(weights, bytes);
  assert.throws(() => checkUnchanged(then, describe()), {
    code: 'run.changed',
    args: { path: path.join(directory.path, 'before') },
  });
});

test('what is beside an adapter is no part of it, and older runs know of none', () => {
  using directory = temporaryDirectory();
  const file = project(directory.path);
  const describe = (): Provenance => describeProvenance(readRunFile(t, file).run, {});
  const then = describe();
  mkdirSync(path.join(directory.path, 'before', 'notes'));
  writeFileSync(path.join(directory.path, 'before', 'README.md'), 'mine');
  checkUnchanged(then, describe());
  const { adapter: _, ...older } = then;
  checkUnchanged(older, describe());
});
