import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { lintText } from '../../../src/dataset';
import type { Translate } from '../../../src/text/translate';
import { describeFinding, describeFix, describeFormat } from '../../../src/text/findings';
import { fixTitles } from '../../../src/text/findings/fixes';
import { recordMessages } from '../../../src/text/findings/records';
import { syntaxMessages } from '../../../src/text/findings/syntax';

const CHINESE = JSON.parse(readFileSync('l10n/parts/findings.zh-cn.json', 'utf8')) as Record<string, string>;

/** A translate function that notes its templates and fills in their arguments. */
function recorder() {
  const templates = new Set<string>();
  const t: Translate = (message, args = {}) => {
    templates.add(message);
    return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(args[name] ?? whole));
  };
  return { t, templates };
}

describe('texts of findings', () => {
  it('has words for everything the broken sample shows, with all arguments filled in', () => {
    const lines = readFileSync('media/samples/broken.jsonl', 'utf8').split('\n');
    const { findings } = lintText(lines);
    assert.ok(findings.length > 20);
    const { t } = recorder();
    for (const finding of findings) {
      const text = describeFinding(t, finding);
      assert.notEqual(text, finding.message);
      assert.doesNotMatch(text.replaceAll(/\{\{\w+\}\}/g, ''), /\{\w+\}/, text);
      if (finding.fix !== undefined) assert.notEqual(describeFix(t, finding.fix), finding.fix.title);
    }
  });

  it('has a Chinese sentence for every template, with the same arguments, and no other', () => {
    const { t, templates } = recorder();
    for (const message of Object.keys({ ...syntaxMessages, ...recordMessages })) {
      for (const type of [
        'string',
        'number',
        'boolean',
        'null',
        'array',
        'object',
        'integerArray',
        'arrayOrJsonString',
      ]) {
        const args = { actual: type, expected: type, format: 'text', usual: 'text' };
        describeFinding(t, { message, args });
      }
    }
    for (const title of Object.keys(fixTitles)) describeFix(t, { title, edits: [] });
    const formats = [
      'messages',
      'conversations',
      'sharegpt',
      'alpaca',
      'prompt-response',
      'query-response',
      'prompt-completion',
      'columns',
      'text',
      'tokens',
    ] as const;
    for (const format of formats) describeFormat(t, format);
    assert.deepEqual([...templates].sort(), Object.keys(CHINESE).sort());
    const names = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    for (const [english, chinese] of Object.entries(CHINESE))
      assert.deepEqual(names(chinese), names(english));
  });
});
