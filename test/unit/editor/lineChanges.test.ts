import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lineSpans } from '../../../src/editor/lineChanges';
import { Random } from '../dataset/random';

interface Change {
  range: { start: { line: number; character: number }; end: { line: number; character: number } };
  text: string;
}

/** Several edits of one event, not overlapping, last one first, as VS Code sends them. */
function randomChanges(random: Random, lines: readonly string[]): Change[] {
  const changes: Change[] = [];
  let line = 0;
  let character = 0;
  while (changes.length < 3) {
    const start = { line, character: Math.min(lines[line]?.length ?? 0, character + random.below(3)) };
    const endLine = Math.min(lines.length - 1, line + random.below(3));
    const length = lines[endLine]?.length ?? 0;
    const end = {
      line: endLine,
      character:
        endLine === line ? Math.min(length, start.character + random.below(3)) : random.below(length + 1),
    };
    changes.unshift({ range: { start, end }, text: random.pick(['', 'x', '\n', 'y\r\nz', 'a\nb\nc']) });
    ({ line, character } = end);
    if (random.below(2) === 0) line += 1 + random.below(3);
    if (line >= lines.length) break;
  }
  return changes;
}

function apply(lines: readonly string[], changes: readonly Change[]): string[] {
  let result = [...lines];
  for (const { range, text } of changes) {
    const before = (result[range.start.line] ?? '').slice(0, range.start.character);
    const after = (result[range.end.line] ?? '').slice(range.end.character);
    const inserted = `${before}${text}${after}`.split(/\r?\n/);
    result = [...result.slice(0, range.start.line), ...inserted, ...result.slice(range.end.line + 1)];
  }
  return result;
}

describe('lineSpans', () => {
  it('counts later spans after earlier ones', () => {
    const at = (start: number, end: number) => ({ start: { line: start }, end: { line: end } });
    const changes = [
      { range: at(5, 6), text: '' },
      { range: at(2, 2), text: 'a\nb' },
    ];
    assert.deepEqual(lineSpans(changes), [
      { start: 2, removed: 1, added: 2 },
      { start: 6, removed: 2, added: 1 },
    ]);
  });

  it('makes one span of changes that share a line', () => {
    const at = (start: number, end: number) => ({ start: { line: start }, end: { line: end } });
    const changes = [
      { range: at(3, 4), text: 'x' },
      { range: at(3, 3), text: '\n' },
    ];
    assert.deepEqual(lineSpans(changes), [{ start: 3, removed: 2, added: 2 }]);
  });

  it('leads from any text to the edited one, line by line', () => {
    const random = new Random(5);
    for (let count = 0; count < 3000; count++) {
      const before = Array.from({ length: 1 + random.below(8) }, (_, index) =>
        `${index}`.repeat(random.below(5)),
      );
      const changes = randomChanges(random, before);
      const after = apply(before, changes);
      const lines = [...before];
      for (const { start, removed, added } of lineSpans(changes)) {
        lines.splice(start, removed, ...after.slice(start, start + added));
      }
      assert.deepEqual(lines, after, JSON.stringify([before, changes]));
    }
  });
});
