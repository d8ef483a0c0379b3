/** The part of a Markdown file that a program writes. */

const START = '<!-- results -->';
const END = '<!-- end of results -->';

/** The text with everything between the two markers replaced. Throws where they are missing. */
export function replaceResults(text: string, lines: readonly string[]): string {
  const start = text.indexOf(START);
  const end = text.indexOf(END);
  if (start < 0 || end < start) throw new Error(`${START} and ${END} are missing`);
  return `${text.slice(0, start)}${START}\n\n${lines.join('\n').trim()}\n\n${text.slice(end)}`;
}
