import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileModulePattern, ModulePatternError } from '../../../src/checkpoint/modulePattern';

const MODULES = [
  'transformer.encoder.layers.0.self_attention.query_key_value',
  'transformer.encoder.layers.12.mlp.dense_h_to_4h',
  'model.layers.3.self_attn.q_proj',
  'model.layers.31.mlp.down_proj',
  'lm_head',
  '',
  'a.b',
  'aab',
];

/** Patterns in use, and corners of the syntax; JavaScript's own engine is the judge. */
const PATTERNS = [
  '.*\\.(query_key_value|dense)$',
  '^model\\.layers\\.\\d+\\.self_attn\\.[qkv]_proj$',
  '^(model)(?=\\.).*\\.(q_proj|down_proj)$',
  '(?!.*(mlp|lm_head)).*',
  'model.layers.(1|2|3).*',
  '(?:.*\\.)?dense_\\w+_4h',
  '.*[0-9]{2}.*',
  '.*layers\\.[^.]{1,2}\\..*',
  '[^a-z]*|a+b',
  'a{2}b',
  'a{0,1}a{1,}b?',
  '(a|aa)+b',
  '.*\\bmlp\\b.*',
  '(.*\\.)?(query_key_value)',
  '\\w+\\.\\w',
  '[\\w.]+_proj',
  '[-a.]+b',
  '',
  '(|a)*b|lm_head?',
  '(?P<name>a+)b',
  '.*?_proj',
  '(?<part>lm)_head',
  '\\Aa\\.b\\Z',
];

for (const pattern of PATTERNS) {
  test(`/${pattern}/ fits what it should`, () => {
    const fits = compileModulePattern(pattern);
    const own = pattern.replace('?P<', '?<').replace('\\A', '^').replace('\\Z', '$');
    const judge = new RegExp(`^(?:${own})$`);
    for (const module of MODULES) assert.equal(fits(module), judge.test(module), module);
  });
}

for (const pattern of [
  '(',
  ')',
  'a)',
  '[a',
  '*a',
  'a{3,2}',
  '\\1',
  '(a)\\1',
  '(?<=a)b',
  '(?i)a',
  '\\q',
  'a{',
  '^*',
  '[b-a]',
  '\\',
  '[\\',
]) {
  test(`/${pattern}/ is refused`, () => {
    assert.throws(() => compileModulePattern(pattern), ModulePatternError);
  });
}

test('a pattern that would take a backtracking engine for ever ends at once', () => {
  const text = `${'a'.repeat(60)}b`;
  assert.equal(compileModulePattern('(a+)+c')(text), false);
  assert.equal(compileModulePattern('(a|a)*b')(text), true);
  assert.equal(compileModulePattern('((a*)*)*(b)')(text), true);
  assert.throws(() => compileModulePattern('((.*){999}){999}x')('a'.repeat(4000)), ModulePatternError);
  assert.throws(() => compileModulePattern('('.repeat(1000)), ModulePatternError);
  assert.throws(() => compileModulePattern('a'.repeat(5000)), ModulePatternError);
});
