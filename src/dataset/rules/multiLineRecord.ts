import type { FileRule, LineEntry } from './rule';

/** A longer run of lines is not one record but a broken file. */
const MOST_LINES = 500;

/** Lines of a record, remembered with its first line so that an edit elsewhere does not parse them again. */
interface Group {
  lines: readonly LineEntry[];
  valid: boolean;
}

const groups = new WeakMap<LineEntry, Group>();
const balances = new WeakMap<LineEntry, number>();

/** A pretty-printed record: one finding on its first line in place of one for each line. */
export const multiLineRecord: FileRule = {
  id: 'glm/multi-line-record',
  severity: 'error',
  stage: 'file',

  check(file, report) {
    const { entries } = file;
    let done = -1;
    for (const line of file.flagged()) {
      const head = entries[line];
      if (line <= done || head?.kind !== 'invalid' || !opensRecord(head)) continue;
      const count = recordLength(entries, line);
      if (count === 0) continue;
      const start = head.text.length - head.text.trimStart().length;
      report.add(line, {
        start,
        end: head.text.trimEnd().length,
        message: 'multiLineRecord',
        args: { count },
        fix: { title: 'joinLines', edits: [] },
      });
      report.cover(line, line + count - 1);
      done = line + count - 1;
    }
  },
};

function opensRecord(entry: LineEntry): boolean {
  return entry.findings.some((finding) => finding.message === 'truncated') && /^\s*\{/.test(entry.text);
}

/** Number of lines of the record that begins at `start`, or 0 where there is none. */
function recordLength(entries: readonly LineEntry[], start: number): number {
  let depth = 0;
  let end = start;
  for (; end < entries.length && end - start < MOST_LINES; end++) {
    const entry = entries[end];
    if (entry === undefined || standsAlone(entry)) return 0;
    depth += balance(entry);
    if (depth <= 0) break;
  }
  if (depth !== 0) return 0;
  const head = entries[start];
  const lines = entries.slice(start, end + 1);
  if (head === undefined) return 0;
  const known = groups.get(head);
  if (known?.lines.length === lines.length && known.lines.every((line, index) => line === lines[index])) {
    return known.valid ? lines.length : 0;
  }
  const valid = isJson(lines.map((line) => line.text).join('\n'));
  groups.set(head, { lines, valid });
  return valid ? lines.length : 0;
}

/** A line that is a record by itself is no part of another one; nor can one be whose text was not kept. */
function standsAlone({ kind, text }: LineEntry): boolean {
  return kind === 'record' || (text === '' && kind !== 'blank');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Opening minus closing brackets outside strings. */
function balance(entry: LineEntry): number {
  let known = balances.get(entry);
  if (known === undefined) {
    known = 0;
    for (const [token] of entry.text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
      if (token === '{' || token === '[') known++;
      else if (token === '}' || token === ']') known--;
    }
    balances.set(entry, known);
  }
  return known;
}
