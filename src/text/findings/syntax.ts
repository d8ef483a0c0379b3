import type { MessageTable } from '../findings';

/** What is wrong with a line that is not JSON, or not text. */
export const syntaxMessages: MessageTable = {
  unexpected: (t, args) => t('Not valid JSON: "{found}" is not expected here.', args),
  nothing: (t) => t('Not valid JSON: there is nothing here.'),
  extraData: (t) => t('Not valid JSON: there is more text after the value.'),
  leadingComma: (t) => t('Not valid JSON: a comma with nothing before it.'),
  recordComma: (t) => t('No comma belongs after a record: each line stands for itself.'),
  missingComma: (t) => t('Not valid JSON: a comma is missing here.'),
  missingColon: (t) => t('Not valid JSON: a colon is missing after the key.'),
  mismatchedBracket: (t, args) => t('Not valid JSON: "{found}" closes nothing that is open here.', args),
  unquotedKey: (t, args) => t('Not valid JSON: the key {found} needs double quotes.', args),
  badNumber: (t, args) => t('Not valid JSON: "{found}" is not a number.', args),
  badEscape: (t, args) =>
    t('Not valid JSON: "{found}" is not an escape. A backslash is written as two.', args),
  trailingComma: (t) => t('Comma before a closing bracket: JSON does not allow it.'),
  unescapedQuote: (t) => t('This quote ends the string too early. Inside a string it is written as \\".'),
  fullwidth: (t, args) => t('Full-width {found} where JSON needs {ascii}', args),
  singleQuotes: (t) => t('Single quotes: this is a Python literal, not JSON.'),
  pythonLiteral: (t, args) => t('{found} is Python. JSON writes {json}.', args),
  comment: (t) => t('JSON has no comments.'),
  twoRecords: (t) => t('A second record on the same line.'),
  truncated: (t) => t('The record is cut off: the line ends before it is closed.'),
  unterminatedString: (t) => t('The record is cut off: this string is never closed.'),
  controlCharacter: (t, args) => t('Control character U+{hex}: JSON allows it only as an escape.', args),
  bom: (t) => t('The line begins with a byte order mark. Most tools fail on it.'),
  blankLine: (t) => t('Blank line between records.'),
  notUtf8: (t) => t('The line is not UTF-8. It may be GBK: save the file again as UTF-8.'),
  multiLineRecord: (t, args) =>
    t('One record over {count} lines. In JSON Lines every record is one line.', args),
  arrayFile: (t) =>
    t('This file is one JSON array. JSON Lines has one record a line and no brackets around them.'),
  arrayRecord: (t) => t('This line is a JSON array, not a record.'),
};
