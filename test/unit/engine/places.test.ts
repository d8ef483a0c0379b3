/** Positions and visibility of ChatGLM-6B, against what the original model and tokenizer make. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../../src/checkpoint/config';
import { createModel } from '../../../src/engine/glm/registry';
import { causalPlaces, type Places } from '../../../src/engine/glm/model';
import { GlmError } from '../../../src/protocol/errors';
import { fixture, readJsonFixture } from '../fixtures';

interface Batch {
  name: string;
  input_ids: number[][];
  attention_mask: string[][] | null;
  position_ids: number[][][] | null;
  model_position_ids?: number[][][];
  model_attention_mask?: string[][];
}

const model = createModel(readConfig(fixture('models/chatglm-v1')));
const { batches } = readJsonFixture<{ batches: Batch[] }>('golden/chatglm-v1/forward.json');

/** A string per query, "1" for each key that is hidden from it. */
function hidden({ keyOrder }: Places): string[] {
  return Array.from(keyOrder, (_, query) =>
    Array.from(keyOrder, (order) => (order <= query ? 0 : 1)).join(''),
  );
}

function check(ids: number[], positions: number[][], mask: string[]): void {
  const places = model.places(ids);
  assert.deepEqual(
    places.streams.map((stream) => [...stream]),
    positions,
  );
  assert.deepEqual(hidden(places), mask);
}

test('rows as the model sees them, padding on the right included', () => {
  const rows = batches.filter(({ model_position_ids }) => model_position_ids);
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['single', 'train'],
  );
  for (const { input_ids, model_position_ids, model_attention_mask } of rows)
    input_ids.forEach((ids, row) => check(ids, model_position_ids![row], model_attention_mask![row]));
});

test('rows that the tokenizer pads on the left, without their padding', () => {
  const { input_ids, position_ids, attention_mask } = batches.find(({ name }) => name === 'left-padded')!;
  input_ids.forEach((ids, row) => {
    const mask = attention_mask![row];
    const first = mask.findIndex((query, i) => query[i] === '0');
    check(
      ids.slice(first),
      position_ids![row].map((stream) => stream.slice(first)),
      mask.slice(first).map((query) => query.slice(first)),
    );
  });
});

test('[MASK] inside the context, and one stream of positions', () => {
  const places = (variant: string, ids: number[]) => {
    const { streams } = createModel(readConfig(fixture(`variants/${variant}`))).places(ids);
    return streams.map((stream) => [...stream]);
  };
  // [MASK] 56, [gMASK] 57, <sop> 60.
  const [masked, both] = [
    [9, 56, 8, 60, 7, 6],
    [9, 56, 57, 60, 7, 6],
  ];
  assert.deepEqual(places('chatglm-v1-mask-token', masked), [
    [0, 1, 2, 1, 1, 1],
    [0, 0, 0, 1, 2, 3],
  ]);
  assert.deepEqual(places('chatglm-v1-mask-token', both)[0], [0, 1, 2, 2, 2, 2]);
  assert.deepEqual(places('chatglm-v1-1d-positions', masked), [[0, 1, 2, 1, 1, 1]]);
  assert.deepEqual(places('chatglm-v1-1d-positions', both), [[0, 1, 2, 3, 4, 5]]);
});

test('a row without its markers is refused by what is missing', () => {
  const refusal = (ids: number[]): unknown[] => {
    try {
      model.places(ids);
    } catch (error) {
      assert.ok(error instanceof GlmError);
      return [error.code, error.args];
    }
    return [];
  };
  assert.deepEqual(refusal([5, 6, 481]), ['engine.noContextEnd', { missing: 'sop', id: 484 }]);
  assert.deepEqual(refusal([5, 6, 484]), ['engine.noContextEnd', { missing: 'mask', id: 481 }]);
  assert.deepEqual(refusal([]), ['engine.noContextEnd', { missing: 'sop', id: 484 }]);
});

test('the other families count from 0 and look back alone', () => {
  for (const name of ['chatglm2', 'chatglm3', 'glm4-9b', 'glm-hf', 'glm4-0414']) {
    const other = createModel(readConfig(fixture(`models/${name}`)));
    assert.deepEqual(other.places([7, 7, 7]), causalPlaces([0, 0, 0]));
    assert.deepEqual([other.streams, other.bidirectionalContext], [1, false]);
  }
});
