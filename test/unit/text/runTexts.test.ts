import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { METHOD_TYPES, parseRunFile } from '../../../src/protocol/run';
import { checkRun, type RunCheck } from '../../../src/protocol/runChecks';
import { methodName } from '../../../src/text/methods';
import { describeRunCheck } from '../../../src/text/runChecks';
import { describeRunProblem } from '../../../src/text/runProblems';
import { runSchema } from '../../../src/text/runSchema';
import type { Translate } from '../../../src/text/translate';

function chinese(): Record<string, string> {
  const parts = readdirSync('l10n/parts').filter((name) => name.endsWith('.zh-cn.json'));
  const read = parts.map((name) => JSON.parse(readFileSync(`l10n/parts/${name}`, 'utf8')) as object);
  return Object.assign({}, ...read) as Record<string, string>;
}

/** Fails on a sentence without Chinese, or whose Chinese has other placeholders. */
function checkedTranslate(): Translate {
  const sentences = chinese();
  const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  return (message, args = {}) => {
    const translated = sentences[message];
    assert.ok(translated, `"${message}" has no Chinese`);
    assert.deepEqual(places(translated), places(message), message);
    return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(args[name] ?? whole));
  };
}

const CHECKS: RunCheck[] = [
  { key: 'a', severity: 'error', code: 'quantizedFull', args: {} },
  { key: 'a', severity: 'error', code: 'quantizedPissa', args: {} },
  { key: 'a', severity: 'error', code: 'adapterWithFull', args: {} },
  { key: 'a', severity: 'error', code: 'adapterWithPissa', args: {} },
  { key: 'a', severity: 'error', code: 'needsEvaluation', args: {} },
  { key: 'a', severity: 'error', code: 'needsValidation', args: {} },
  { key: 'a', severity: 'error', code: 'endAboveStart', args: { rate: 1 } },
  { key: 'a', severity: 'error', code: 'warmupNeverEnds', args: { steps: 1 } },
  { key: 'a', severity: 'error', code: 'unusedUnless', args: { key: 'b', value: 'c' } },
  { key: 'a', severity: 'error', code: 'unusedBeside', args: { key: 'b' } },
  { key: 'a', severity: 'error', code: 'adapterKind', args: { kind: 'lora', method: 'ptuning_v2' } },
  { key: 'a', severity: 'error', code: 'adapterSetting', args: { value: '8' } },
];

describe('sentences about run files', () => {
  const t = checkedTranslate();

  it('exist in both languages for every key and choice', () => {
    assert.ok(runSchema(t).properties?.method);
  });

  it('exist for every check, with all arguments filled in', () => {
    for (const check of CHECKS) assert.doesNotMatch(describeRunCheck(t, check), /\{\w+\}/, check.code);
  });

  it('exist for what the validator finds', () => {
    const methods = [...['qlora', 'lorra', 'zzz'].map((type) => ({ type })), { type: 'full', r: 1 }];
    for (const method of [...methods, { type: 'lora', target_modules: 'all', r: 0 }, 3]) {
      const parsed = parseRunFile({ name: '', method, quantization: { type: 'int3' }, other: 1 });
      assert.ok('problems' in parsed);
      for (const problem of parsed.problems)
        assert.doesNotMatch(describeRunProblem(t, problem), /\{\w+\}|Invalid/, problem.key);
    }
  });

  it('name every method, quantised or not', () => {
    const names = METHOD_TYPES.flatMap((type) => [methodName(t, type), methodName(t, type, true)]);
    assert.deepEqual(new Set(names).size, 5);
    assert.equal(methodName(t, 'lora', true), 'QLoRA');
  });

  it('say what an old file does without a word', () => {
    const parsed = parseRunFile(JSON.parse(readFileSync('media/samples/tea-shop.glmtune.json', 'utf8')));
    assert.ok('run' in parsed);
    assert.deepEqual(checkRun(parsed.run), []);
  });
});
