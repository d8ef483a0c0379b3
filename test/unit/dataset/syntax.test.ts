import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lintLine, mendLine } from '../../../src/dataset';
import { findSyntaxFault, type SyntaxCause } from '../../../src/dataset/jsonl/syntax';
import { Random } from './random';

/** Text with the expected range between ⟦ and ⟧; the cause. */
const CASES: [marked: string, cause: SyntaxCause][] = [
  ['{"a": 1⟦,⟧}', 'trailingComma'],
  ['[1, 2⟦,⟧ ]', 'trailingComma'],
  ['{"a": "x⟦"⟧y"}', 'unescapedQuote'],
  ['{"a": "他说⟦"⟧你好"。"}', 'unescapedQuote'],
  ['{"a": "x" ⟦"⟧b": 1}', 'missingComma'],
  ['{"a": 1 ⟦"⟧b": 1}', 'missingComma'],
  ['{"a" ⟦1⟧}', 'missingColon'],
  ['{"a"⟦：⟧ 1}', 'fullwidth'],
  ['{"a": 1⟦，⟧ "b": 2}', 'fullwidth'],
  ['{⟦“⟧a”: 1}', 'fullwidth'],
  ['⟦｛⟧"a": 1}', 'fullwidth'],
  ["{⟦'⟧a': 1}", 'singleQuotes'],
  ['{"a": ⟦None⟧}', 'pythonLiteral'],
  ['{"a": ⟦True⟧, "b": 1}', 'pythonLiteral'],
  ['{"a": ⟦NaN⟧}', 'pythonLiteral'],
  ['{"a": ⟦-Infinity⟧}', 'pythonLiteral'],
  ['{"a": ⟦Nonesuch⟧}', 'unexpected'],
  ['{⟦name⟧: 1}', 'unquotedKey'],
  ['{⟦名字⟧: 1}', 'unquotedKey'],
  ['{"a": ⟦01⟧}', 'badNumber'],
  ['{"a": ⟦1.⟧}', 'badNumber'],
  ['{"a": ⟦+⟧1}', 'unexpected'],
  ['{"a": "⟦\\d⟧"}', 'badEscape'],
  ['{"a": "⟦\\u12⟧x"}', 'badEscape'],
  ['{"a": "tab⟦\t⟧"}', 'controlCharacter'],
  ['{"a": ⟦\u0000⟧1}', 'controlCharacter'],
  ['{"a": 1} ⟦// note⟧', 'comment'],
  ['⟦# note⟧', 'comment'],
  ['{⟦/* x */⟧ "a": 1}', 'comment'],
  ['{"a": 1} ⟦{"b": 2}⟧', 'twoRecords'],
  ['{"a": 1}⟦, {"b": 2}⟧', 'twoRecords'],
  ['{"a": 1}⟦,⟧', 'recordComma'],
  ['{"a": 1} ⟦x⟧', 'extraData'],
  ['{⟦,⟧ "a": 1}', 'leadingComma'],
  ['{"a": [1⟦}⟧', 'mismatchedBracket'],
  ['{"a": 1}⟦}⟧', 'mismatchedBracket'],
  ['{"a": 1⟦⟧', 'truncated'],
  ['{"a"⟦⟧', 'truncated'],
  ['{"a": ⟦"x⟧', 'unterminatedString'],
  ['{"a": ⟦😀⟧}', 'unexpected'],
  ['⟦\ufeff⟧{}', 'bom'],
  ['⟦  ⟧', 'empty'],
];

describe('findSyntaxFault', () => {
  for (const [marked, cause] of CASES) {
    it(`${cause}: ${JSON.stringify(marked)}`, () => {
      const start = marked.indexOf('⟦');
      const end = marked.indexOf('⟧') - 1;
      const text = marked.replace('⟦', '').replace('⟧', '');
      assert.deepEqual(findSyntaxFault(text), { cause, start, end });
    });
  }

  it('accepts what JSON.parse accepts', () => {
    for (const text of [
      '{}',
      ' [ ] ',
      '"\\u00e9\\n"',
      '-0.5e+10',
      'null',
      '{"a":{"b":[true,false,null]}}',
      '"\u2028"',
    ]) {
      assert.equal(findSyntaxFault(text), null, text);
    }
  });

  it('reads deep nesting without a recursion', () => {
    const deep = '['.repeat(200_000);
    assert.equal(findSyntaxFault(deep)?.cause, 'truncated');
    assert.equal(findSyntaxFault(deep + ']'.repeat(200_000)), null);
  });
});

const SEEDS = [
  '{"messages": [{"role": "user", "content": "你好，\\"世界\\""}, {"role": "assistant", "content": "Hi \\u4f60\\n"}]}',
  '{"instruction": "Add 1.5e3 and -2", "input": "", "output": "1498", "history": [["a", "b"]], "x": null}',
  '{"input_ids": [1, 2, 3], "labels": [-100, 2, 3], "ok": true, "no": false, "n": {"k": []}}',
  "{'prompt': 'it is', 'response': None}",
];
const PIECES = [
  ...'{}[]:,"\\\'#/ \t01-+.eEu',
  '“',
  '”',
  '：',
  '，',
  'true',
  'None',
  'NaN',
  '//',
  '\\u12',
  '\\"',
  '""',
  '\u0000',
  '\ud83d',
  '\ufeff',
  '😀',
  'é',
];

/** Deletes, inserts, replaces, doubles or cuts. */
function mutate(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + 1 + random.below(4));
  switch (random.below(5)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, at) + random.pick(PIECES) + text.slice(at);
    case 2:
      return text.slice(0, at) + random.pick(PIECES) + text.slice(end);
    case 3:
      return text.slice(0, at) + text.slice(at, end) + text.slice(at);
    default:
      return random.below(4) === 0 ? text.slice(0, at) : text;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('on 50,000 mutated lines', () => {
  const random = new Random(20261122);
  const inputs = Array.from({ length: 50_000 }, () => {
    let text = random.pick(SEEDS);
    for (let count = 1 + random.below(4); count > 0; count--) text = mutate(random, text);
    return text;
  });

  it('finds a fault exactly where JSON.parse refuses, inside the line', () => {
    let refused = 0;
    for (const text of inputs) {
      const fault = findSyntaxFault(text);
      assert.equal(fault === null, isJson(text), text);
      if (fault === null) continue;
      refused++;
      assert.ok(0 <= fault.start && fault.start <= fault.end && fault.end <= text.length, text);
    }
    assert.ok(
      refused > 20_000 && refused < 49_000,
      `${refused} refused: the mutations are too weak or too strong`,
    );
  });

  it('lints every line, with findings and edits inside it', () => {
    for (const text of inputs) {
      const { findings, record, kind } = lintLine(text);
      const failed = findings.some((finding) => finding.severity === 'error');
      assert.equal(record !== undefined, kind === 'record', text);
      if (kind !== 'blank') assert.equal(failed, record === undefined, text);
      for (const { start, end, fix } of findings) {
        assert.ok(0 <= start && start <= end && end <= text.length, text);
        let last = 0;
        for (const edit of fix?.edits ?? []) {
          const through = edit.endLineOffset === undefined ? edit.end : text.length;
          assert.ok(last <= edit.start && edit.start <= through && through <= text.length, text);
          last = through;
        }
      }
    }
  });

  it('mends many lines and makes none worse', () => {
    let mended = 0;
    for (const text of inputs.slice(0, 10_000)) {
      if (isJson(text)) continue;
      const lines = mendLine(text);
      if (lines.length > 0 && lines.every(isJson)) mended++;
    }
    assert.ok(mended > 1000, `only ${mended} mended`);
  });
});
