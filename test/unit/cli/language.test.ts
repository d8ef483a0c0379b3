import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { chooseLanguage, loadTranslations, packageRoot, parseLanguage } from '../../../src/cli/language';
import { temporaryDirectory } from './support';

test('a Chinese locale in any writing means Simplified Chinese', () => {
  for (const locale of ['zh', 'zh-CN', 'zh_CN.UTF-8', 'zh-cn', 'zh-Hans'])
    assert.equal(parseLanguage(locale), 'zh-cn', locale);
  for (const locale of ['en', 'C', 'POSIX', 'de_DE.UTF-8', 'zha'])
    assert.equal(parseLanguage(locale), 'en', locale);
});

test('--lang comes before GLMTUNE_LANG, that before LC_ALL, that before LANG', () => {
  const environment = { GLMTUNE_LANG: 'en', LC_ALL: 'zh_CN', LANG: 'zh_CN' };
  assert.equal(chooseLanguage(['lint', '--lang', 'zh-cn'], environment), 'zh-cn');
  assert.equal(chooseLanguage(['lint', '--lang=zh-cn'], environment), 'zh-cn');
  assert.equal(chooseLanguage(['lint'], environment), 'en');
  assert.equal(chooseLanguage(['lint'], { LC_ALL: 'zh_CN', LANG: 'C' }), 'zh-cn');
  assert.equal(chooseLanguage(['lint'], { LANG: 'zh_CN' }), 'zh-cn');
  assert.equal(chooseLanguage(['--', '--lang', 'zh-cn'], {}), 'en');
});

test('a translated sentence takes its arguments, an untranslated one stays English', () => {
  using directory = temporaryDirectory();
  mkdirSync(path.join(directory.path, 'l10n'));
  const bundle = path.join(directory.path, 'l10n', 'bundle.l10n.zh-cn.json');
  writeFileSync(bundle, JSON.stringify({ '{path} has no rows.': '{path} 没有数据行。' }));
  const chinese = loadTranslations('zh-cn', directory.path);
  assert.equal(chinese('{path} has no rows.', { path: 'a.jsonl' }), 'a.jsonl 没有数据行。');
  assert.equal(chinese('Not there {n}.', { n: 1 }), 'Not there 1.');
  const english = loadTranslations('en', directory.path);
  assert.equal(english('{path} has no rows.', { path: 'a.jsonl' }), 'a.jsonl has no rows.');
});

test('the package is found from a directory inside it', () => {
  using directory = temporaryDirectory();
  mkdirSync(path.join(directory.path, 'dist'));
  writeFileSync(path.join(directory.path, 'package.json'), '{}');
  assert.equal(packageRoot(path.join(directory.path, 'dist')), directory.path);
});
