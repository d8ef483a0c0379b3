import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';

/** English templates passed to `t(...)` in the rooms whose sentences stand in the host and workbench parts. */
function templates(): Map<string, string> {
  const files = [
    'src/extension.ts',
    'src/text/errors/host.ts',
    ...['src/host', 'src/workbench'].flatMap((room) =>
      readdirSync(room, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => path.join(room, name)),
    ),
  ];
  const found = new Map<string, string>();
  for (const file of files) {
    const source = readFileSync(file, 'utf8');
    for (const [, literal] of source.matchAll(/(?<![\w.])t\(\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/g)) {
      // The literals are ours: single quotes become JSON's double ones.
      const body = (literal ?? '')
        .slice(1, -1)
        .replaceAll("\\'", "'")
        .replaceAll(/(?<!\\)"/g, '\\"');
      found.set(JSON.parse(`"${body}"`) as string, file);
    }
  }
  return found;
}

/** All parts: a sentence that two rooms share is translated once. */
function translations(): Record<string, string> {
  const parts = readdirSync('l10n/parts').filter((name) => name.endsWith('.zh-cn.json'));
  const read = parts.map((name) => JSON.parse(readFileSync(path.join('l10n/parts', name), 'utf8')) as object);
  return Object.assign({}, ...read) as Record<string, string>;
}

describe('sentences of the host and the workbench', () => {
  const all = templates();
  const chinese = translations();

  it('are found in the sources', () => {
    assert.ok(all.size > 100, `${all.size}`);
    assert.ok(all.has('Fine-tune ChatGLM'));
  });

  it('are all translated, with the same placeholders', () => {
    const places = (sentence: string): string[] => [...sentence.matchAll(/\{\w+\}/g)].map(String).sort();
    for (const [sentence, file] of all) {
      const translated = chinese[sentence];
      assert.ok(translated, `${file}: "${sentence}" has no Chinese`);
      assert.deepEqual(places(translated), places(sentence), sentence);
    }
  });

  it('leave nothing translated that is no longer said', () => {
    for (const part of ['host', 'workbench']) {
      const own = JSON.parse(readFileSync(`l10n/parts/${part}.zh-cn.json`, 'utf8')) as object;
      for (const sentence of Object.keys(own)) assert.ok(all.has(sentence), `${part}: "${sentence}"`);
    }
  });
});
