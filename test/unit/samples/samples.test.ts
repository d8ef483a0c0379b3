import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { lintText, type Severity } from '../../../src/dataset';
import { parseRunFile } from '../../../src/protocol/run';

const directory = path.resolve('media/samples');

function lines(name: string): string[] {
  const text = readFileSync(path.join(directory, name), 'utf8');
  assert.ok(text.endsWith('\n'), `${name} ends with a line break`);
  return text.slice(0, -1).split('\n');
}

function questions(rows: readonly string[]): string[] {
  return rows.map((row) => {
    const { messages } = JSON.parse(row) as { messages: { role: string; content: string }[] };
    return messages
      .filter(({ role }) => role === 'user')
      .map(({ content }) => content.toLowerCase().replace(/[\p{P}\p{Z}]/gu, ''))
      .join('|');
  });
}

describe('tea-shop samples', () => {
  const train = lines('tea-shop.train.jsonl');
  const validation = lines('tea-shop.validation.jsonl');

  it('have no finding', () => {
    for (const rows of [train, validation]) assert.deepEqual(lintText(rows).findings, []);
    assert.ok(train.length >= 300);
    assert.equal(validation.length, 40);
  });

  it('share no row and no question', () => {
    assert.deepEqual(
      validation.filter((row) => train.includes(row)),
      [],
    );
    const trained = new Set(questions(train));
    assert.deepEqual(
      questions(validation).filter((question) => trained.has(question)),
      [],
    );
  });

  it('validate only answers that are trained', () => {
    const answer = (row: string) =>
      (JSON.parse(row) as { messages: { content: string }[] }).messages.at(-1)?.content;
    const trained = new Set(train.map(answer));
    assert.deepEqual(
      validation.filter((row) => !trained.has(answer(row))),
      [],
    );
  });

  it('are named by the run file, which is valid', () => {
    const result = parseRunFile(
      JSON.parse(readFileSync(path.join(directory, 'tea-shop.glmtune.json'), 'utf8')),
    );
    assert.ok('run' in result, JSON.stringify(result));
    assert.equal(result.run.dataset.train, 'tea-shop.train.jsonl');
    assert.equal(result.run.dataset.validation, 'tea-shop.validation.jsonl');
    assert.equal(result.run.model, '../practice-model');
  });
});

describe('broken sample', () => {
  const result = lintText(lines('broken.jsonl'));
  const found = result.findings.map(({ line, rule, severity }) => [line + 1, rule, severity] as const);

  /** Lines and what must be found in them; other rules may come later and find more. */
  const intended: [line: number, rule: string, severity: Severity][] = [
    [3, 'glm/trailing-comma', 'error'],
    [4, 'glm/fullwidth-punctuation', 'error'],
    [5, 'glm/fullwidth-punctuation', 'error'],
    [6, 'glm/python-literal', 'error'],
    [7, 'glm/comment', 'error'],
    [8, 'glm/unescaped-quote', 'error'],
    [9, 'glm/truncated-record', 'error'],
    [10, 'glm/empty-answer', 'error'],
    [11, 'glm/unknown-role', 'error'],
    [12, 'glm/role-order', 'error'],
    [13, 'glm/role-order', 'error'],
    [14, 'glm/no-assistant', 'error'],
    [15, 'glm/two-records', 'error'],
    [16, 'glm/blank-line', 'warning'],
    [17, 'glm/multi-line-record', 'error'],
    [23, 'glm/duplicate-record', 'warning'],
    [25, 'glm/placeholder', 'warning'],
    [26, 'glm/wrong-type', 'error'],
    [27, 'glm/wrong-type', 'error'],
    [28, 'glm/unknown-shape', 'error'],
    [29, 'glm/mixed-shape', 'warning'],
    [30, 'glm/python-literal', 'error'],
    [31, 'glm/duplicate-key', 'error'],
    [32, 'glm/control-token-in-text', 'warning'],
    [34, 'glm/lone-surrogate', 'error'],
    [35, 'glm/control-character', 'error'],
    [36, 'glm/array-file', 'error'],
    [37, 'glm/json-syntax', 'error'],
  ];

  for (const [line, rule, severity] of intended) {
    it(`line ${line}: ${rule}`, () => {
      assert.ok(
        found.some(([l, r, s]) => l === line && r === rule && s === severity),
        JSON.stringify(found.filter(([l]) => l === line)),
      );
    });
  }

  it('leaves the good rows alone', () => {
    for (const good of [1, 2, 38]) assert.ok(!found.some(([line]) => line === good), `line ${good}`);
    assert.ok(result.records >= 3);
  });
});
