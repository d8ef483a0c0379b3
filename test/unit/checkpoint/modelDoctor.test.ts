import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCheckpoint } from '../../../src/checkpoint/checkpoint';
import { checkModel, findModelProblems } from '../../../src/checkpoint/modelDoctor';
import type { TensorEntry } from '../../../src/checkpoint/types';
import { GlmError } from '../../../src/protocol/errors';
import { describeThrown } from '../../../src/text/errors';
import { fixture } from '../fixtures';

const { config, reader } = openCheckpoint(fixture('models/chatglm3'));
const output = 'transformer.output_layer.weight';
const norm = 'transformer.encoder.final_layernorm.weight';
const t = (message: string, args: Record<string, string | number> = {}): string =>
  message.replace(/\{(\w+)\}/g, (_, key: string) => String(args[key]));

test('all differences are found at once; the rotary buffer is none', () => {
  const tensors = new Map<string, TensorEntry>(reader.tensors);
  assert.ok(tensors.has('transformer.rotary_pos_emb.inv_freq'));
  assert.deepEqual(findModelProblems(config, tensors, 672), []);
  tensors.set(norm, { ...tensors.get(norm)!, shape: [1, 48] });
  tensors.set('transformer.more', { ...tensors.get(output)!, name: 'transformer.more' });
  const bias = 'transformer.encoder.layers.1.self_attention.query_key_value.bias';
  tensors.set(bias, { ...tensors.get(bias)!, dtype: 'I8' });
  tensors.delete(output);
  const problems = findModelProblems(config, tensors, 673);
  assert.deepEqual(
    problems.map((problem) => [problem.kind, 'tensor' in problem ? problem.tensor : '']),
    [
      ['dtype', bias],
      ['shape', norm],
      ['missing', output],
      ['extra', 'transformer.more'],
      ['vocabulary', ''],
    ],
  );
});

test('the message lists at most 20 problems and how many more there are', () => {
  const changed = { ...config, hidden_size: 52 };
  try {
    checkModel('some/model', changed, reader);
    assert.fail('accepted');
  } catch (error) {
    assert.ok(error instanceof GlmError && error.code === 'checkpoint.doesNotFit');
    const { count } = error.args as { count: number };
    const { message } = describeThrown(t, error);
    const lines = message.split('\n');
    assert.equal(lines.length, 22);
    assert.match(lines[1], /word_embeddings\.weight in model-\S+ is \[672, 48\]; expected \[672, 52\]/);
    assert.equal(lines[21], `  and ${count - 20} more`);
  }
});
