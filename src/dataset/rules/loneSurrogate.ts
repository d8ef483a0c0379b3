import type { ParsedLine, RecordRule, Report } from './rule';
import { fixOf } from './rule';

/** Node 20 has it; the type library of ES2023 does not. */
type WellFormed = string & { isWellFormed(): boolean };

const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|.)/gs;

/** Half of a surrogate pair: it has no UTF-8 form, and tokenizers fail on it or replace it. */
export const loneSurrogate: RecordRule = {
  id: 'glm/lone-surrogate',
  severity: 'error',
  stage: 'record',

  check({ text }: ParsedLine) {
    const reports: Report[] = [];
    if (!(text as WellFormed).isWellFormed()) {
      for (const match of text.matchAll(/\p{Cs}/gu)) {
        reports.push(report(match.index, match.index + 1, match[0].charCodeAt(0), '\ufffd'));
      }
    }
    if (text.includes('\\ud') || text.includes('\\uD')) reports.push(...escaped(text));
    return reports;
  },
};

/** Lone surrogates written as escapes; a low one right after a high one completes it. */
function escaped(text: string): Report[] {
  const reports: Report[] = [];
  let high: { index: number; code: number } | undefined;
  const flush = () => {
    if (high !== undefined) reports.push(report(high.index, high.index + 6, high.code, '\\ufffd'));
    high = undefined;
  };
  for (const match of text.matchAll(ESCAPE)) {
    const code = match[1] === undefined ? 0 : parseInt(match[1], 16);
    if (high !== undefined && match.index === high.index + 6 && code >= 0xdc00 && code <= 0xdfff) {
      high = undefined;
      continue;
    }
    flush();
    if (code >= 0xd800 && code <= 0xdbff) high = { index: match.index, code };
    else if (code >= 0xdc00 && code <= 0xdfff) {
      reports.push(report(match.index, match.index + 6, code, '\\ufffd'));
    }
  }
  flush();
  return reports;
}

function report(start: number, end: number, code: number, replacement: string): Report {
  const hex = code.toString(16).toUpperCase();
  const fix = fixOf('replaceSurrogate', start, end, replacement);
  return { start, end, message: 'loneSurrogate', args: { hex }, fix };
}
