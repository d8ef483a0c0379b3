/** Lints a whole text or a file from disk, in memory bounded by the number of lines and findings. */
import { readLines } from '../jsonl/reader';
import type { Duplicate, FileView, LineEntry } from '../rules/rule';
import type { FormatId } from '../types';
import { collectFindings, type CollectedFindings } from './collect';
import { DuplicateTable } from './duplicateTable';
import { lintLine, lintUndecodableLine, type LintedLine } from './lintLine';

export interface FileLintResult extends CollectedFindings {
  lines: number;
  /** Lines that can be trained on. */
  records: number;
  /** Number of lines per format, the usual one first. */
  formats: [FormatId, number][];
}

export interface FileLintOptions {
  /** Most findings to return; all are counted. */
  limit?: number;
  signal?: AbortSignal;
  /** Called now and then with the number of lines read so far. */
  onProgress?(lines: number): void;
}

/** Text of faulty lines is kept for rules that join lines, up to this many UTF-16 units in all. */
const KEPT_TEXT = 32 << 20;
const LINES_PER_PROGRESS = 5000;

class FileLinter implements FileView {
  readonly entries: LineEntry[] = [];
  readonly formats = new Map<FormatId, number>();
  records = 0;
  private readonly table = new DuplicateTable();
  private readonly repeated: Duplicate[] = [];
  private readonly clean = new Map<FormatId, LineEntry>();
  private readonly faulty: number[] = [];
  private kept = 0;

  add({ text, kind, format, findings }: LintedLine): void {
    const line = this.entries.length;
    if (format !== null) this.formats.set(format, (this.formats.get(format) ?? 0) + 1);
    if (kind === 'record') {
      this.records++;
      const first = this.table.add(text, line);
      if (first !== undefined) this.repeated.push({ line, first, length: text.length });
    }
    if (kind === 'record' && format !== null && findings.length === 0) {
      this.entries.push(this.cleanEntry(format));
      return;
    }
    if (findings.length > 0) this.faulty.push(line);
    const keepText = this.kept + text.length <= KEPT_TEXT;
    if (keepText) this.kept += text.length;
    this.entries.push({ text: keepText ? text : '', kind, format, findings });
  }

  flagged(): readonly number[] {
    return this.faulty;
  }

  get lineCount(): number {
    return this.entries.length;
  }

  duplicates(): Iterable<Duplicate> {
    return this.repeated;
  }

  result(limit?: number): FileLintResult {
    const formats = [...this.formats].sort((a, b) => b[1] - a[1]);
    return { ...collectFindings(this, limit), lines: this.entries.length, records: this.records, formats };
  }

  /** Lines without findings share one entry. */
  private cleanEntry(format: FormatId): LineEntry {
    let entry = this.clean.get(format);
    if (entry === undefined) {
      entry = { text: '', kind: 'record', format, findings: [] };
      this.clean.set(format, entry);
    }
    return entry;
  }
}

/** Lints lines given without their endings. */
export function lintText(lines: Iterable<string>, limit?: number): FileLintResult {
  const linter = new FileLinter();
  for (const line of lines) linter.add(lintLine(line));
  return linter.result(limit);
}

/** Lints a file from disk. Throws as `readLines` does. */
export async function lintFile(path: string, options: FileLintOptions = {}): Promise<FileLintResult> {
  const linter = new FileLinter();
  for await (const { line, text, validUtf8 } of readLines(path, options.signal)) {
    linter.add(validUtf8 ? lintLine(text) : lintUndecodableLine(text));
    if ((line + 1) % LINES_PER_PROGRESS === 0) options.onProgress?.(line + 1);
  }
  return linter.result(options.limit);
}
