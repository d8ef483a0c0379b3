import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyEdits, lintLine, lintText, type RuleId } from '../../../src/dataset';
import { RULES } from '../../../src/dataset/rules';

interface Case {
  rule: RuleId;
  /** The line, with what must be underlined between ⟦ and ⟧. */
  line: string;
  message: string;
  /** The line after the fix, or `delete` where the fix deletes it; absent: no fix. */
  fixed?: string;
  /** A line that is nearly the same and has no such finding. */
  nearly: string;
}

const CHAT = '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}';

const CASES: Case[] = [
  {
    rule: 'glm/bom',
    line: '⟦\ufeff⟧{"text": "x"}',
    message: 'bom',
    fixed: '{"text": "x"}',
    nearly: '{"text": "\ufeffx"}',
  },
  { rule: 'glm/blank-line', line: '⟦ \t⟧', message: 'blankLine', fixed: 'delete', nearly: '{"text": "x"}' },
  { rule: 'glm/json-syntax', line: '{"text" ⟦=⟧ "x"}', message: 'missingColon', nearly: '{"text" : "x"}' },
  {
    rule: 'glm/json-syntax',
    line: '{"text": "⟦\\d⟧"}',
    message: 'badEscape',
    fixed: '{"text": "\\\\d"}',
    nearly: '{"text": "\\\\d"}',
  },
  {
    rule: 'glm/json-syntax',
    line: '{"text": "it⟦\\\'⟧s"}',
    message: 'badEscape',
    fixed: '{"text": "it\'s"}',
    nearly: '{"text": "it\'s"}',
  },
  {
    rule: 'glm/json-syntax',
    line: '{⟦text⟧: "x"}',
    message: 'unquotedKey',
    fixed: '{"text": "x"}',
    nearly: '{"text": "x"}',
  },
  {
    rule: 'glm/json-syntax',
    line: '{"text": "x"}⟦,⟧',
    message: 'recordComma',
    fixed: '{"text": "x"}',
    nearly: '{"text": "x"} ',
  },
  {
    rule: 'glm/json-syntax',
    line: '{"text": "x" ⟦"⟧a": 1}',
    message: 'missingComma',
    fixed: '{"text": "x" ,"a": 1}',
    nearly: '{"text": "x", "a": 1}',
  },
  {
    rule: 'glm/trailing-comma',
    line: '{"text": "x"⟦,⟧ }',
    message: 'trailingComma',
    fixed: '{"text": "x" }',
    nearly: '{"text": "x,}"}',
  },
  {
    rule: 'glm/unescaped-quote',
    line: '{"text": "说⟦"⟧你好", "好", b", "a": "x"}',
    message: 'unescapedQuote',
    fixed: '{"text": "说\\"你好\\", \\"好\\", b", "a": "x"}',
    nearly: '{"text": "说“你好”"}',
  },
  {
    rule: 'glm/fullwidth-punctuation',
    line: '{⟦“⟧text”: "x"}',
    message: 'fullwidth',
    fixed: '{"text": "x"}',
    nearly: '{"text": "“，：”"}',
  },
  {
    rule: 'glm/fullwidth-punctuation',
    line: '{"text"⟦：⟧"x"}',
    message: 'fullwidth',
    fixed: '{"text":"x"}',
    nearly: '{"text":"："}',
  },
  {
    rule: 'glm/python-literal',
    line: "{⟦'⟧text': 'say \"it\\'s\"', 'a': None, 'b': (True, 1,)}",
    message: 'singleQuotes',
    fixed: '{"text": "say \\"it\'s\\"", "a": null, "b": [true, 1]}',
    nearly: '{"text": "\'None\'"}',
  },
  {
    rule: 'glm/python-literal',
    line: '{"text": "x", "a": ⟦True⟧}',
    message: 'pythonLiteral',
    fixed: '{"text": "x", "a": true}',
    nearly: '{"text": "True"}',
  },
  {
    rule: 'glm/comment',
    line: '{"text": "x"} ⟦// why⟧',
    message: 'comment',
    fixed: '{"text": "x"} ',
    nearly: '{"text": "// x"}',
  },
  { rule: 'glm/comment', line: ' ⟦# heading⟧', message: 'comment', fixed: 'delete', nearly: '{"text": "#"}' },
  {
    rule: 'glm/two-records',
    line: '{"text": "x"}, ⟦{"text": "y"}⟧',
    message: 'twoRecords',
    fixed: '{"text": "x"}\n{"text": "y"}',
    nearly: '{"text": "}{"}',
  },
  { rule: 'glm/truncated-record', line: '{"text": "x⟦"⟧', message: 'truncated', nearly: '{"text": "x"}' },
  {
    rule: 'glm/truncated-record',
    line: '{"text": ⟦"x}⟧',
    message: 'unterminatedString',
    nearly: '{"text": "x"}',
  },
  {
    rule: 'glm/control-character',
    line: '{"text": "a⟦\t⟧b"}',
    message: 'controlCharacter',
    fixed: '{"text": "a\\tb"}',
    nearly: '{"text":\t"a\\tb"}',
  },
  {
    rule: 'glm/control-character',
    line: '{"text": ⟦\u0000⟧"a"}',
    message: 'controlCharacter',
    fixed: '{"text": "a"}',
    nearly: '{"text": "\\u0000"}',
  },
  {
    rule: 'glm/unknown-shape',
    line: '⟦{"ask": 1}⟧',
    message: 'unknownShape',
    nearly: '{"text": "x", "ask": 1}',
  },
  { rule: 'glm/unknown-shape', line: '⟦"x"⟧', message: 'notAnObject', nearly: '{"text": "x"}' },
  {
    rule: 'glm/array-file',
    line: '⟦[⟧{"text": "x"}, {"text": "y"}]',
    message: 'arrayRecord',
    fixed: '{"text": "x"}\n{"text": "y"}',
    nearly: '{"text": "[]"}',
  },
  {
    rule: 'glm/array-file',
    line: '⟦[⟧{"role": "user", "content": "q"}]',
    message: 'arrayRecord',
    fixed: '{"messages": [{"role": "user", "content": "q"}]}',
    nearly: CHAT,
  },
  {
    rule: 'glm/missing-field',
    line: '⟦{"instruction": "q"}⟧',
    message: 'missingField',
    nearly: '{"instruction": "q", "output": "a"}',
  },
  {
    rule: 'glm/missing-field',
    line: '{"messages": [{"role": "user", "content": "q"}, ⟦{"role": "assistant"}⟧]}',
    message: 'missingField',
    nearly: CHAT,
  },
  {
    rule: 'glm/wrong-type',
    line: '{"prompt": "q", "response": ⟦30⟧}',
    message: 'wrongType',
    fixed: '{"prompt": "q", "response": "30"}',
    nearly: '{"prompt": "q", "response": "30"}',
  },
  { rule: 'glm/wrong-type', line: '{"messages": ⟦"x"⟧}', message: 'wrongType', nearly: CHAT },
  {
    rule: 'glm/empty-answer',
    line: '{"prompt": "q", "response": ⟦"　"⟧}',
    message: 'emptyAnswer',
    fixed: 'delete',
    nearly: '{"prompt": "q", "response": "。"}',
  },
  {
    rule: 'glm/empty-answer',
    line: '{"prompt": ⟦""⟧, "response": "a"}',
    message: 'emptyPrompt',
    fixed: 'delete',
    nearly: '{"instruction": "q", "input": "", "output": "a"}',
  },
  {
    rule: 'glm/unknown-role',
    line: CHAT.replace('"assistant"', '⟦"asistant"⟧'),
    message: 'unknownRoleSuggestion',
    fixed: CHAT,
    nearly: CHAT,
  },
  {
    rule: 'glm/unknown-role',
    line: CHAT.replace('"assistant"', '⟦"narrator"⟧'),
    message: 'unknownRole',
    nearly: CHAT,
  },
  {
    rule: 'glm/role-order',
    line: '{"messages": [{"role": "user", "content": "q"}, {"role": ⟦"user"⟧, "content": "q"}, {"role": "assistant", "content": "a"}]}',
    message: 'repeatedRole',
    nearly: CHAT,
  },
  {
    rule: 'glm/role-order',
    line: CHAT.replace(']', ', {"role": ⟦"user"⟧, "content": "bye"}]'),
    message: 'endsWithoutAnswer',
    fixed: CHAT,
    nearly: CHAT,
  },
  {
    rule: 'glm/no-assistant',
    line: '{⟦"messages"⟧: [{"role": "user", "content": "q"}]}',
    message: 'noAssistant',
    nearly: CHAT,
  },
  {
    rule: 'glm/tool-shape',
    line: CHAT.replace(/}$/, ', "tools": ⟦"[{"⟧}'),
    message: 'toolsNotJson',
    nearly: CHAT.replace(/}$/, ', "tools": "[]"}'),
  },
  {
    rule: 'glm/token-row',
    line: '{"input_ids": [1, 2], ⟦"labels"⟧: [1]}',
    message: 'lengthMismatch',
    nearly: '{"input_ids": [1, 2], "labels": [-100, 2]}',
  },
  {
    rule: 'glm/token-row',
    line: '{"input_ids": [1, ⟦-2⟧]}',
    message: 'badTokenId',
    nearly: '{"input_ids": [1, 2]}',
  },
  {
    rule: 'glm/duplicate-key',
    line: '{⟦"text"⟧: "x", "text": "y"}',
    message: 'duplicateKey',
    fixed: '{"text": "y"}',
    nearly: '{"text": "\\"text\\": \\"x\\"", "a": {"text": ":"}}',
  },
  {
    rule: 'glm/lone-surrogate',
    line: '{"text": "\\\\⟦\\ud83c⟧"}',
    message: 'loneSurrogate',
    fixed: '{"text": "\\\\\\ufffd"}',
    nearly: '{"text": "\\ud83c\\udf08 \\\\ud83c"}',
  },
  {
    rule: 'glm/lone-surrogate',
    line: '{"text": "⟦\udc00⟧"}',
    message: 'loneSurrogate',
    fixed: '{"text": "\ufffd"}',
    nearly: '{"text": "😀"}',
  },
  {
    rule: 'glm/control-token-in-text',
    line: '{"text": "a⟦<|user|>⟧b"}',
    message: 'controlToken',
    fixed: '{"text": "ab"}',
    nearly: '{"text": "<|users|> [mask] op|"}',
  },
  {
    rule: 'glm/control-token-in-text',
    line: '{"text": "⟦\\u003c|user|\\u003e⟧"}',
    message: 'controlToken',
    fixed: '{"text": ""}',
    nearly: '{"text": "[MASKED]"}',
  },
  {
    rule: 'glm/control-token-in-text',
    line: '{"text": "⟦[gMASK]⟧"}',
    message: 'controlToken',
    fixed: '{"text": ""}',
    nearly: '{"text": "gMASK"}',
  },
  {
    rule: 'glm/placeholder',
    line: '{"text": "I am ⟦{{name}}⟧."}',
    message: 'placeholder',
    nearly: '{"text": "{{}} {name} {{a:b}}"}',
  },
  {
    rule: 'glm/placeholder',
    line: '{"text": "我是⟦{{ 名字 }}⟧"}',
    message: 'placeholder',
    nearly: '{"text": "{{1+1}}"}',
  },
];

/** Rules that need more than one line, or bytes; tested in `documentLinter.test.ts` and `reader.test.ts`. */
const ELSEWHERE: RuleId[] = [
  'glm/multi-line-record',
  'glm/mixed-shape',
  'glm/duplicate-record',
  'glm/encoding',
];

describe('rules', () => {
  for (const { rule, line, message, fixed, nearly } of CASES) {
    it(`${rule}: ${JSON.stringify(line)}`, () => {
      const text = line.replace('⟦', '').replace('⟧', '');
      const finding = lintLine(text).findings.find((candidate) => candidate.rule === rule);
      assert.ok(finding, 'no finding');
      const { start, end, fix } = finding;
      assert.equal(`${text.slice(0, start)}⟦${text.slice(start, end)}⟧${text.slice(end)}`, line);
      assert.equal(finding.message, message);
      if (fix === undefined) assert.equal(undefined, fixed);
      else if (fix.edits[0]?.endLineOffset === 1) assert.equal('delete', fixed);
      else assert.equal(applyEdits(text, fix.edits), fixed);
    });

    it(`${rule}: not in ${JSON.stringify(nearly)}`, () => {
      const rules = lintLine(nearly).findings.map((finding) => finding.rule);
      assert.ok(!rules.includes(rule), rules.join());
    });
  }

  it('every rule is tested', () => {
    const tested = new Set<RuleId>([...CASES.map(({ rule }) => rule), ...ELSEWHERE]);
    assert.deepEqual(
      RULES.map(({ id }) => id).filter((id) => !tested.has(id)),
      [],
    );
  });

  it('one syntax rule owns each cause and one problem rule each code', () => {
    const owned = RULES.flatMap((rule) =>
      rule.stage === 'syntax' ? rule.causes : rule.stage === 'problem' ? rule.codes : [],
    );
    assert.equal(new Set(owned).size, owned.length);
  });

  it('reports a file without any known format once', () => {
    const { findings } = lintText(['{"time": 1}', '{"time": 2}', '{"time": 3,}']);
    assert.deepEqual(
      findings.map(({ line, message }) => [line, message]),
      [
        [0, 'unknownFile'],
        [2, 'trailingComma'],
      ],
    );
  });
});
