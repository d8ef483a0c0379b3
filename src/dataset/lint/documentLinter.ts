/**
 * Lints a text that is being edited: only lines that changed are linted again. The empty line that an editor shows after
 * the last line break may be given like any other; it counts for nothing.
 */
import { JsonPositions } from '../jsonl/positions';
import type { Duplicate, FileView, LineEntry } from '../rules/rule';
import type { Finding, FormatId, TextFix } from '../types';
import { collectFindings, type CollectedFindings } from './collect';
import { lintLine } from './lintLine';

/** Lines `start` to `start + removed` (exclusive) become `lines`. */
export interface LineChange {
  start: number;
  removed: number;
  lines: readonly string[];
}

export interface DocumentSummary {
  lines: number;
  /** Lines that can be trained on. */
  records: number;
  /** Number of lines per format, the usual one first. */
  formats: [FormatId, number][];
}

class TrackedLine implements LineEntry {
  readonly kind: LineEntry['kind'];
  readonly format: LineEntry['format'];
  readonly findings: LineEntry['findings'];
  /** True where another line has the same text. */
  repeated = false;

  constructor(readonly text: string) {
    ({ kind: this.kind, format: this.format, findings: this.findings } = lintLine(text));
  }
}

const LINES_BETWEEN_CLOCK_READINGS = 16;

export class DocumentLinter implements FileView {
  /** A line that waits to be linted is its bare text. */
  private readonly slots: (TrackedLine | string)[] = [];
  /** 1 for each line with findings: reading this list is much quicker than visiting every line. */
  private readonly marks: (0 | 1)[] = [];
  private readonly byText = new Map<string, TrackedLine | TrackedLine[]>();
  private readonly formatCounts = new Map<FormatId, number>();
  private repeatedTexts = 0;
  private recordCount = 0;
  private waiting = 0;
  private firstWaiting = 0;

  /** Number of lines not linted yet. */
  get pending(): number {
    return this.waiting;
  }

  /** Takes over changes, each relative to the state after the one before. Lints nothing yet: see `run`. */
  update(changes: readonly LineChange[]): void {
    for (const { start, removed, lines } of changes) {
      const from = Math.min(start, this.slots.length);
      for (const slot of this.slots.slice(from, from + removed)) this.forget(slot);
      this.splice(from, removed, lines);
      this.waiting += lines.length;
      this.firstWaiting = Math.min(this.firstWaiting, from);
    }
  }

  /**
   * Lints waiting lines until there are none (returns true) or `shouldPause` says so (returns false; call again).
   * The question is asked every few lines.
   */
  run(shouldPause: () => boolean = () => false): boolean {
    let index = this.firstWaiting;
    for (let linted = 0; this.waiting > 0 && index < this.slots.length; index++) {
      const slot = this.slots[index];
      if (typeof slot !== 'string') continue;
      this.remember(index, new TrackedLine(slot));
      linted++;
      if (linted % LINES_BETWEEN_CLOCK_READINGS === 0 && this.waiting > 0 && shouldPause()) {
        this.firstWaiting = index + 1;
        return false;
      }
    }
    this.firstWaiting = this.slots.length;
    return true;
  }

  /** The findings of the whole text. Call when `pending` is 0. */
  collect(limit?: number): CollectedFindings {
    return collectFindings(this, limit);
  }

  get summary(): DocumentSummary {
    const formats = [...this.formatCounts].sort((a, b) => b[1] - a[1]);
    return { lines: this.lineCount, records: this.recordCount, formats };
  }

  /** The fix of a finding with its edits made; undefined where there is none. */
  resolveFix(finding: Finding): TextFix | undefined {
    const { fix, line } = finding;
    if (fix === undefined || fix.edits.length > 0) return fix;
    if (finding.rule === 'glm/multi-line-record') {
      return this.replaceLines(fix, line, Number(finding.args['count']), (text) => joinLines(text));
    }
    if (finding.rule === 'glm/array-file') {
      return this.replaceLines(fix, line, this.slots.length - line, arrayToLines);
    }
    return undefined;
  }

  get entries(): readonly LineEntry[] {
    return this.slots as readonly LineEntry[];
  }

  get lineCount(): number {
    const last = this.slots[this.slots.length - 1];
    const text = typeof last === 'string' ? last : last?.text;
    return text === '' ? this.slots.length - 1 : this.slots.length;
  }

  flagged(): readonly number[] {
    const lines: number[] = [];
    for (let line = 0; line < this.marks.length; line++) if (this.marks[line] === 1) lines.push(line);
    return lines;
  }

  get formats(): ReadonlyMap<FormatId, number> {
    return this.formatCounts;
  }

  *duplicates(): Generator<Duplicate> {
    if (this.repeatedTexts === 0) return;
    const firstLines = new Map<string, number>();
    for (const [line, slot] of this.slots.entries()) {
      if (typeof slot === 'string' || !slot.repeated) continue;
      const first = firstLines.get(slot.text);
      if (first === undefined) firstLines.set(slot.text, line);
      else yield { line, first, length: slot.text.length };
    }
  }

  private replaceLines(
    fix: TextFix,
    start: number,
    count: number,
    convert: (text: string) => string | undefined,
  ): TextFix | undefined {
    const lines = this.slots
      .slice(start, start + count)
      .map((slot) => (typeof slot === 'string' ? slot : slot.text));
    const text = convert(lines.join('\n'));
    if (text === undefined) return undefined;
    const end = lines[lines.length - 1]?.length ?? 0;
    return { ...fix, edits: [{ start: 0, end, text, endLineOffset: lines.length - 1 }] };
  }

  private splice(start: number, removed: number, lines: readonly string[]): void {
    spliceMany(this.slots, start, removed, lines);
    spliceMany(
      this.marks,
      start,
      removed,
      lines.map(() => 0 as const),
    );
  }

  private remember(index: number, line: TrackedLine): void {
    this.slots[index] = line;
    this.marks[index] = line.findings.length > 0 ? 1 : 0;
    this.waiting--;
    if (line.format !== null) this.countFormat(line.format, 1);
    if (line.kind !== 'record') return;
    this.recordCount++;
    const same = this.byText.get(line.text);
    if (same === undefined) {
      this.byText.set(line.text, line);
    } else if (Array.isArray(same)) {
      same.push(line);
      line.repeated = true;
    } else {
      this.byText.set(line.text, [same, line]);
      same.repeated = line.repeated = true;
      this.repeatedTexts++;
    }
  }

  private forget(slot: TrackedLine | string): void {
    if (typeof slot === 'string') {
      this.waiting--;
      return;
    }
    if (slot.format !== null) this.countFormat(slot.format, -1);
    if (slot.kind !== 'record') return;
    this.recordCount--;
    const same = this.byText.get(slot.text);
    if (!Array.isArray(same)) {
      this.byText.delete(slot.text);
      return;
    }
    same.splice(same.indexOf(slot), 1);
    const [last] = same;
    if (same.length > 1 || last === undefined) return;
    last.repeated = false;
    this.byText.set(slot.text, last);
    this.repeatedTexts--;
  }

  private countFormat(format: FormatId, change: 1 | -1): void {
    const count = (this.formatCounts.get(format) ?? 0) + change;
    if (count > 0) this.formatCounts.set(format, count);
    else this.formatCounts.delete(format);
  }
}

/** `Array.splice`, whose arguments go onto the stack, also for more items than the stack holds. */
function spliceMany<T>(list: T[], start: number, removed: number, items: readonly T[]): void {
  if (items.length <= 10_000) {
    list.splice(start, removed, ...items);
    return;
  }
  const tail = list.slice(start + removed);
  list.length = start;
  for (const item of items) list.push(item);
  for (const item of tail) list.push(item);
}

/** JSON over many lines on one line; the numbers and escapes stay as they are written. */
function joinLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
}

function arrayToLines(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const elements = new JsonPositions(text).elements([]);
  return elements.map(({ start, end }) => joinLines(text.slice(start, end))).join('\n') + '\n';
}
