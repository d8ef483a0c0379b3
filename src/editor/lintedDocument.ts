/** One open dataset: follows its edits and lints it in slices, so that the extension host never waits. */
import type * as vscode from 'vscode';
import { DocumentLinter, type CollectedFindings, type DocumentSummary } from '../dataset';
import { lineSpans } from './lineChanges';

/** Longest uninterrupted work in milliseconds. */
const SLICE = 8;
const LINES_PER_READ = 256;
/** A paste of more lines is read in slices, like a document that opens. */
const MOST_LINES_AT_ONCE = 2000;
/** Findings that VS Code takes for one file and owner, less one for the summary. */
const MOST_FINDINGS = 999;

export interface LintState extends CollectedFindings {
  summary: DocumentSummary;
}

export class LintedDocument implements vscode.Disposable {
  readonly linter = new DocumentLinter();
  /** The last complete result; of an older version of the text while `busy`. */
  state: LintState | undefined;
  busy = true;
  /** Lines of the document that the linter has been given. */
  private readLines = 0;
  private timer: NodeJS.Timeout | undefined;
  private slice: NodeJS.Immediate | undefined;

  constructor(
    readonly document: vscode.TextDocument,
    private readonly changed: (linted: LintedDocument) => void,
  ) {}

  /** Lints after `delay` milliseconds without another call. */
  schedule(delay: number): void {
    this.stop();
    this.timer = setTimeout(() => this.work(), delay);
  }

  /** Takes over an edit; nothing is linted yet. */
  edit(changes: readonly vscode.TextDocumentContentChangeEvent[]): void {
    this.busy = true;
    for (const { start, removed, added } of lineSpans(changes)) {
      if (start >= this.readLines) break;
      const beyondRead = start + removed > this.readLines || added > MOST_LINES_AT_ONCE;
      if (beyondRead) {
        this.linter.update([{ start, removed: this.readLines - start, lines: [] }]);
        this.readLines = start;
        break;
      }
      const lines = Array.from({ length: added }, (_, index) => this.document.lineAt(start + index).text);
      this.linter.update([{ start, removed, lines }]);
      this.readLines += added - removed;
    }
  }

  /** Finishes the work that is left, at once if it is little; returns whether the state is that of the text. */
  flush(): boolean {
    const left = this.document.lineCount - this.readLines + this.linter.pending;
    if (this.busy && left <= MOST_LINES_AT_ONCE) {
      this.stop();
      while (!this.advance(() => false));
      this.finish();
    }
    return !this.busy;
  }

  dispose(): void {
    this.stop();
  }

  private stop(): void {
    clearTimeout(this.timer);
    clearImmediate(this.slice);
  }

  private work(): void {
    if (this.document.isClosed) return;
    const end = performance.now() + SLICE;
    if (this.advance(() => performance.now() >= end)) this.finish();
    else this.slice = setImmediate(() => this.work());
  }

  /** Reads and lints; true when all is done, false when `shouldPause` interrupted it. */
  private advance(shouldPause: () => boolean): boolean {
    for (;;) {
      if (!this.linter.run(shouldPause)) return false;
      const { lineCount } = this.document;
      if (this.readLines >= lineCount) return true;
      const until = Math.min(lineCount, this.readLines + LINES_PER_READ);
      const lines: string[] = [];
      for (let line = this.readLines; line < until; line++) lines.push(this.document.lineAt(line).text);
      this.linter.update([{ start: this.readLines, removed: 0, lines }]);
      this.readLines = until;
      if (shouldPause()) return false;
    }
  }

  private finish(): void {
    this.state = { ...this.linter.collect(MOST_FINDINGS), summary: this.linter.summary };
    this.busy = false;
    this.changed(this);
  }
}
