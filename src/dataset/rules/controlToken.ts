import { fixOf, type RecordRule, type Report } from './rule';

const ROLE = 'system|user|assistant|observation|endoftext|begin_of_image|end_of_image';
/** In a JSON line these characters can stand only inside a string, so the text itself can be searched. */
const TOKENS = new RegExp(
  `(?:<|\\\\u003[cC])\\|(?:${ROLE})\\|(?:>|\\\\u003[eE])|\\[[gs]?MASK\\]|(?:<|\\\\u003[cC])(?:sop|eop)(?:>|\\\\u003[eE])`,
  'g',
);

/** A special token written out in the data: it is trained as plain text, or it cuts the prompt in two. */
export const controlToken: RecordRule = {
  id: 'glm/control-token-in-text',
  severity: 'warning',
  stage: 'record',

  check({ text }) {
    if (!text.includes('|') && !text.includes('MASK]') && !text.includes('op')) return [];
    const reports: Report[] = [];
    for (const match of text.matchAll(TOKENS)) {
      const token = match[0].replace(/\\u003c/gi, '<').replace(/\\u003e/gi, '>');
      const end = match.index + match[0].length;
      const fix = fixOf('deleteToken', match.index, end, '', true);
      reports.push({ start: match.index, end, message: 'controlToken', args: { token }, fix });
    }
    return reports;
  },
};
