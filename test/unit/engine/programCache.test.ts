import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProgramCache } from '../../../src/engine/backend/programCache';
import type { Program } from '../../../src/engine/backend/session';

describe('programs of many shapes', () => {
  it('keeps those that were used last, and frees the others', () => {
    const cache = new ProgramCache(2);
    const compiled: string[] = [];
    const freed: string[] = [];
    const use = (key: string): Program =>
      cache.get(key, () => {
        compiled.push(key);
        return { run: () => Promise.resolve([]), dispose: () => void freed.push(key) };
      });
    const first = use('a');
    use('b');
    assert.equal(use('a'), first);
    use('c');
    assert.deepEqual(freed, ['b']);
    assert.equal(use('a'), first);
    use('b');
    assert.deepEqual(freed, ['b', 'c']);
    assert.deepEqual(compiled, ['a', 'b', 'c', 'b']);
    assert.equal(cache.size, 2);
  });
});
