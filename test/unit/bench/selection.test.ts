/** Which work a command line of the benchmark means. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readOptions } from '../../bench/harness/options';
import { select, type Named } from '../../bench/harness/selection';

const ITEMS: Named[] = [
  { name: 'lora/small/bf16/4x256', set: 'quick' },
  { name: 'lora/small/bf16/4x256/ckpt', set: 'default' },
  { name: 'lora/medium/f32/4x256', set: 'full' },
  { name: 'decode/small/bf16/1', set: 'default' },
];
const names = (patterns: string[], quick = false): string[] =>
  select(ITEMS, patterns, quick).map(({ name }) => name);

describe('selection of work', () => {
  it('takes the default or the quick set without patterns', () => {
    assert.equal(names([]).length, 3);
    assert.deepEqual(names([], true), ['lora/small/bf16/4x256']);
  });

  it('takes an exact name alone, and otherwise whatever has the parts in order', () => {
    assert.deepEqual(names(['lora/small/bf16/4x256']), ['lora/small/bf16/4x256']);
    assert.deepEqual(
      names(['lora']),
      ITEMS.slice(0, 3).map(({ name }) => name),
    );
    assert.deepEqual(names(['lora/bf16']), ['lora/small/bf16/4x256', 'lora/small/bf16/4x256/ckpt']);
    assert.deepEqual(names(['small/bf16/1']), ['decode/small/bf16/1']);
    assert.equal(names(['all']).length, 4);
  });

  it('keeps the order of the table and names nothing twice', () => {
    assert.deepEqual(
      names(['decode', 'lora/medium', 'lora']),
      ITEMS.map(({ name }) => name),
    );
  });

  it('refuses what means nothing', () => {
    assert.throws(() => names(['lora/bf8']), /lora\/bf8/);
    assert.throws(() => names(['bf16/lora']), /bf16\/lora/);
    assert.throws(() => names(['decode'], true), /quick/);
  });
});

describe('options of the benchmark', () => {
  it('has five rounds, two of them quickly, or as many as asked', () => {
    assert.equal(readOptions([]).rounds, 5);
    assert.equal(readOptions(['--quick']).rounds, 2);
    assert.equal(readOptions(['--quick', '--rounds', '3']).rounds, 3);
    assert.deepEqual(readOptions(['lora', 'decode']).patterns, ['lora', 'decode']);
  });

  it('refuses rounds that are none, and options that it does not know', () => {
    assert.throws(() => readOptions(['--rounds', '0']), /--rounds/);
    assert.throws(() => readOptions(['--rounds', 'many']), /--rounds/);
    assert.throws(() => readOptions(['--round', '3']));
  });
});
