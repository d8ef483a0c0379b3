import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isJsonObject, type JsonPath, type JsonValue } from '../../../src/dataset/json';
import { JsonPositions, type TextRange } from '../../../src/dataset/jsonl/positions';
import { Random } from './random';

const LINE =
  ' {"id": 1, "messages" : [ {"role":"user","content":"a\\"]}b"} , {"content": "你好", "role":"assistant"}], "x": {}}';

function textOf(range: TextRange | undefined, text = LINE): string | undefined {
  return range === undefined ? undefined : text.slice(range.start, range.end);
}

describe('JsonPositions', () => {
  const positions = new JsonPositions(LINE);

  it('finds values', () => {
    assert.equal(textOf(positions.value(['messages', 0, 'content'])), '"a\\"]}b"');
    assert.equal(textOf(positions.value(['messages', 1, 'content'])), '"你好"');
    assert.equal(textOf(positions.value(['messages', 1])), '{"content": "你好", "role":"assistant"}');
    assert.equal(textOf(positions.value(['id'])), '1');
    assert.equal(textOf(positions.value(['x'])), '{}');
    assert.equal(textOf(positions.value([])), LINE.trim());
  });

  it('finds keys and elements', () => {
    assert.equal(textOf(positions.key(['messages'])), '"messages"');
    assert.equal(textOf(positions.key(['messages', 1, 'role'])), '"role"');
    assert.deepEqual(
      positions.elements(['messages']).map((range) => textOf(range)?.length),
      [34, 37],
    );
    assert.deepEqual(positions.elements(['x']), []);
  });

  it('knows nothing of what is not there', () => {
    assert.equal(positions.value(['nothing']), undefined);
    assert.equal(positions.value(['messages', 2]), undefined);
    assert.equal(positions.value(['id', 'x']), undefined);
  });

  it('takes the last of two equal keys, as JSON.parse does, also when one is escaped', () => {
    const text = '{"a": 1, "\\u0061": 2}';
    const found = new JsonPositions(text);
    assert.equal(textOf(found.value(['a']), text), '2');
    const [duplicate] = found.duplicateKeys();
    assert.deepEqual(
      duplicate?.members.map((range) => textOf(range, text)),
      ['"a": 1', '"\\u0061": 2'],
    );
  });

  it('agrees with JSON.parse on random documents', () => {
    const random = new Random(7);
    for (let count = 0; count < 300; count++) {
      const value = randomValue(random, 4);
      const text = JSON.stringify(value, null, random.pick([0, 1, '\t']));
      const found = new JsonPositions(text);
      for (const [path, expected] of paths(value)) {
        assert.deepEqual(
          JSON.parse(textOf(found.value(path), text) ?? ''),
          expected,
          `${text} ${path.join('.')}`,
        );
      }
      assert.deepEqual(found.duplicateKeys(), []);
    }
  });
});

function randomValue(random: Random, depth: number): JsonValue {
  switch (random.below(depth > 0 ? 6 : 4)) {
    case 0:
      return random.below(1000) / 8 - 40;
    case 1:
      return random.pick(['', 'a"b', '\\', '{[,:', '你好', '\n']);
    case 2:
      return random.pick([true, false]);
    case 3:
      return null;
    case 4:
      return Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
    default: {
      const keys = ['a', 'b"', 'c:', '键', '__proto__x'].slice(0, random.below(5));
      return Object.fromEntries(keys.map((key) => [key, randomValue(random, depth - 1)]));
    }
  }
}

function* paths(value: JsonValue, path: JsonPath = []): Generator<[JsonPath, JsonValue]> {
  yield [path, value];
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* paths(item, [...path, index]);
  else if (isJsonObject(value))
    for (const [key, item] of Object.entries(value)) yield* paths(item, [...path, key]);
}
