import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { mergeTranslations } from '../../../.ci/build/l10n.mjs';

describe('merging translations', () => {
  let root: string;
  const part = (name: string, sentences: object) =>
    writeFileSync(path.join(root, 'l10n/parts', name), JSON.stringify(sentences));

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'glm-'));
    mkdirSync(path.join(root, 'l10n/parts'), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('sorts all sentences of one locale into the bundle', () => {
    part('run.zh-cn.json', { 'Start a run': '开始训练', Stop: '停止' });
    part('dataset.zh-cn.json', { 'Empty answer': '回答为空', Stop: '停止' });
    part('dataset.fr.json', { 'Empty answer': 'Réponse vide' });
    assert.equal(mergeTranslations(root, 'zh-cn'), 3);
    const bundle = readFileSync(path.join(root, 'l10n/bundle.l10n.zh-cn.json'), 'utf8');
    assert.deepEqual(Object.entries(JSON.parse(bundle) as object), [
      ['Empty answer', '回答为空'],
      ['Start a run', '开始训练'],
      ['Stop', '停止'],
    ]);
  });

  it('refuses two translations of one sentence, naming both parts', () => {
    part('a.zh-cn.json', { Stop: '停止' });
    part('b.zh-cn.json', { Stop: '中止' });
    assert.throws(() => mergeTranslations(root, 'zh-cn'), /"Stop".*a\.zh-cn\.json.*b\.zh-cn\.json/);
  });

  it('refuses an empty translation', () => {
    part('a.zh-cn.json', { Stop: ' ' });
    assert.throws(() => mergeTranslations(root, 'zh-cn'), /"Stop" is not a sentence/);
  });
});
