/** Where in the line to draw a problem. */
import type { Problem } from '../formats/problem';
import type { JsonPositions, TextRange } from '../jsonl/positions';
import type { ParsedLine } from './rule';

const LONGEST_OBJECT = 80;

/** Range of a problem's key or value; of the object around it where the field is absent. */
export function problemRange(problem: Problem, line: ParsedLine): TextRange {
  const { positions, text } = line;
  const { path } = problem;
  if (path.length === 0) return head(positions.root(), text);
  const range = problem.at === 'key' ? positions.key(path) : positions.value(path);
  if (range !== undefined) return problem.at === 'value' ? inner(range, text) : range;
  return head(nearest(path, positions), text);
}

function nearest(path: Problem['path'], positions: JsonPositions): TextRange {
  for (let length = path.length - 1; length > 0; length--) {
    const range = positions.value(path.slice(0, length));
    if (range !== undefined) return range;
  }
  return positions.root();
}

/** A list or object that is not short is shown by its beginning: a whole underlined line says nothing. */
function inner(range: TextRange, text: string): TextRange {
  const open = text.charAt(range.start);
  return open === '{' || open === '[' ? head(range, text) : range;
}

/** A short object whole, of a long one the bracket and the first key. */
function head(range: TextRange, text: string): TextRange {
  if (range.end - range.start <= LONGEST_OBJECT) return range;
  const start = /^[{[]\s*"(?:[^"\\]|\\.)*"/.exec(text.slice(range.start, range.start + 200))?.[0];
  return { start: range.start, end: range.start + (start?.length ?? 1) };
}
