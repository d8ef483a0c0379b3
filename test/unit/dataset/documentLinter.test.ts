import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DocumentLinter, lintText, mendDocument, type Finding } from '../../../src/dataset';
import { Random } from './random';

const RECORD = '{"prompt": "q", "response": "a"}';
const OTHER = '{"instruction": "q", "output": "a"}';

function linted(lines: readonly string[]): DocumentLinter {
  const linter = new DocumentLinter();
  linter.update([{ start: 0, removed: 0, lines }]);
  assert.equal(linter.run(), true);
  return linter;
}

function short(findings: readonly Finding[]): string[] {
  return findings.map(({ line, start, end, rule }) => `${line}:${start}-${end} ${rule}`);
}

describe('DocumentLinter', () => {
  it('finds what lies between lines: duplicates, mixed formats', () => {
    const linter = linted([RECORD, OTHER, RECORD, RECORD, '']);
    const { findings, counts } = linter.collect();
    assert.deepEqual(short(findings), [
      '1:0-1 glm/mixed-shape',
      `2:0-${RECORD.length} glm/duplicate-record`,
      `3:0-${RECORD.length} glm/duplicate-record`,
    ]);
    assert.deepEqual(findings[1]?.args, { first: 1 });
    assert.equal(findings[1]?.related?.[0]?.line, 0);
    assert.deepEqual(counts, { error: 0, warning: 3, information: 0 });
    const formats = [
      ['prompt-response', 3],
      ['alpaca', 1],
    ];
    assert.deepEqual(linter.summary, { lines: 4, records: 4, formats });
  });

  it('shows a pretty-printed record once and joins it', () => {
    const pretty = JSON.stringify(JSON.parse(RECORD), null, 2).split('\n');
    const linter = linted([RECORD, ...pretty, OTHER]);
    const [finding] = linter.collect().findings;
    assert.ok(finding);
    assert.deepEqual(short(linter.collect().findings), [
      '1:0-1 glm/multi-line-record',
      '5:0-1 glm/mixed-shape',
    ]);
    assert.deepEqual(linter.resolveFix(finding)?.edits, [
      { start: 0, end: 1, text: '{ "prompt": "q", "response": "a" }', endLineOffset: 3 },
    ]);
  });

  it('does not join lines that make no record', () => {
    const linter = linted(['{', '"prompt": "q",', '"response": }', RECORD]);
    assert.ok(!short(linter.collect().findings).some((text) => text.includes('multi-line')));
  });

  it('shows a JSON array once and turns it into lines', () => {
    const lines = ['[', `  ${RECORD},`, '  {', '    "text": "a, ]"', '  }', ']'];
    const linter = linted(lines);
    const { findings } = linter.collect();
    assert.deepEqual(short(findings), ['0:0-1 glm/array-file']);
    const [finding] = findings;
    assert.ok(finding);
    assert.deepEqual(linter.resolveFix(finding)?.edits, [
      { start: 0, end: 1, text: `${RECORD}\n{ "text": "a, ]" }\n`, endLineOffset: 5 },
    ]);
    assert.deepEqual(mendDocument(linter), [{ start: 0, end: 5, lines: [RECORD, '{ "text": "a, ]" }'] }]);
  });

  it('takes the empty line after the last line break for nothing', () => {
    assert.deepEqual(linted([RECORD, '']).collect().findings, []);
    assert.deepEqual(short(linted([RECORD, '', '']).collect().findings), ['1:0-0 glm/blank-line']);
  });

  it('keeps errors where not all findings fit', () => {
    const lines = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? RECORD : '{'));
    const { findings, omitted, counts } = linted(lines).collect(30);
    assert.equal(findings.length, 30);
    assert.equal(findings.filter(({ severity }) => severity === 'error').length, 25);
    assert.equal(omitted, counts.error + counts.warning - 30);
  });

  it('pauses when told to and goes on', () => {
    const linter = new DocumentLinter();
    linter.update([
      { start: 0, removed: 0, lines: Array.from({ length: 1000 }, (_, n) => `{"text": "${n}"}`) },
    ]);
    let pauses = 0;
    while (!linter.run(() => true)) pauses++;
    assert.ok(pauses > 10);
    assert.equal(linter.pending, 0);
    assert.equal(linter.summary.records, 1000);
  });

  it('after any edits finds what linting the whole text finds', () => {
    const random = new Random(99);
    const pool = [
      RECORD,
      OTHER,
      '',
      '{',
      '"prompt": "q",',
      '"response": "a"',
      '}',
      '{"text": "x",}',
      '[',
      ']',
      '{}',
    ];
    const lines = Array.from({ length: 30 }, () => random.pick(pool));
    const linter = linted(lines);
    for (let count = 0; count < 2000; count++) {
      const start = random.below(lines.length + 1);
      const removed = Math.min(random.below(4), lines.length - start);
      const added = Array.from({ length: random.below(4) }, () => random.pick(pool));
      lines.splice(start, removed, ...added);
      linter.update([{ start, removed, lines: added }]);
      if (random.below(3) === 0) linter.run(() => random.below(2) === 0);
      if (random.below(4) !== 0) continue;
      while (!linter.run());
      const expected = lintText(lines.at(-1) === '' ? lines.slice(0, -1) : lines);
      const actual = linter.collect();
      assert.deepEqual(short(actual.findings), short(expected.findings), lines.join('\n'));
      assert.deepEqual(actual.counts, expected.counts);
      const { records, formats } = linter.summary;
      assert.equal(records, expected.records);
      assert.deepEqual(new Map(formats), new Map(expected.formats));
    }
  });
});
