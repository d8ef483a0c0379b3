import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { valueRange } from '../../../src/workbench/runFile/positions';

const text = `{
  "note": "a \\"model\\": {not this}",
  "list": [1, {"model": "no"}, []],
  "empty": {},
  "model": "../m",
  "dataset": { "train": "茶.jsonl", "validation": null },
  "last": -1.5e3
}`;

function at(...path: string[]): string | null {
  const range = valueRange(text, path);
  return range && text.slice(range.start, range.end);
}

describe('place of a value in a JSON text', () => {
  it('finds values at any depth', () => {
    assert.equal(at('model'), '"../m"');
    assert.equal(at('dataset', 'train'), '"茶.jsonl"');
    assert.equal(at('dataset', 'validation'), 'null');
    assert.equal(at('last'), '-1.5e3');
    assert.equal(at('list'), '[1, {"model": "no"}, []]');
    assert.equal(at(), text);
  });

  it('finds nothing where there is no such key', () => {
    assert.equal(at('adapter'), null);
    assert.equal(at('model', 'x'), null);
  });

  it('finds nothing in what is not JSON', () => {
    for (const broken of ['', '{', '{"a"', '{"a":', '{"a" 1}', '[', '{"b": [1, ', '{"b":1 "a":2', 'x']) {
      assert.equal(valueRange(broken, ['a', 'b']), null, broken);
    }
  });
});
