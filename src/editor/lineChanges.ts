/** From VS Code's change events to changes of whole lines. */

/** Part of `TextDocumentContentChangeEvent`; lines before the whole event. */
export interface ContentChange {
  range: { start: { line: number }; end: { line: number } };
  text: string;
}

/** `removed` lines from `start` are replaced by `added` lines, which stand there in the new document. */
export interface LineSpan {
  start: number;
  removed: number;
  added: number;
}

/**
 * The touched lines of one event as spans in ascending order, each `start` counted after the spans before it were
 * applied (so it is the line in the new document). Changes that share a line become one span.
 */
export function lineSpans(changes: readonly ContentChange[]): LineSpan[] {
  const ordered = changes
    .map(({ range, text }) => ({
      start: range.start.line,
      end: range.end.line,
      growth: countLineBreaks(text) - (range.end.line - range.start.line),
    }))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  const merged: typeof ordered = [];
  for (const change of ordered) {
    const last = merged[merged.length - 1];
    if (last === undefined || change.start > last.end) {
      merged.push({ ...change });
      continue;
    }
    last.end = Math.max(last.end, change.end);
    last.growth += change.growth;
  }
  let shift = 0;
  return merged.map(({ start, end, growth }) => {
    const removed = end - start + 1;
    const span = { start: start + shift, removed, added: removed + growth };
    shift += growth;
    return span;
  });
}

function countLineBreaks(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x0a || (code === 0x0d && text.charCodeAt(i + 1) !== 0x0a)) count++;
  }
  return count;
}
