import type { Translate } from '../translate';

/** Titles of fixes. */
export const fixTitles: Readonly<Record<string, (t: Translate) => string>> = {
  deleteComma: (t) => t('Delete the comma'),
  insertComma: (t) => t('Insert a comma'),
  quoteKey: (t) => t('Put the key in double quotes'),
  escapeBackslash: (t) => t('Escape the backslash'),
  deleteBackslash: (t) => t('Delete the backslash'),
  escapeQuotes: (t) => t('Escape the quotes inside the string'),
  replaceFullwidth: (t) => t('Replace by the ASCII character'),
  convertFromPython: (t) => t('Convert the line from Python to JSON'),
  replacePythonLiteral: (t) => t('Replace by the JSON literal'),
  deleteComment: (t) => t('Delete the comment'),
  splitLine: (t) => t('Put the second record on its own line'),
  escapeCharacter: (t) => t('Write the character as an escape'),
  deleteCharacter: (t) => t('Delete the character'),
  deleteBom: (t) => t('Delete the byte order mark'),
  deleteBlankLine: (t) => t('Delete the blank line'),
  replaceSurrogate: (t) => t('Replace by U+FFFD'),
  deleteEarlierKey: (t) => t('Delete the earlier of the two'),
  makeString: (t) => t('Turn the value into a text'),
  deleteRecord: (t) => t('Delete the record'),
  renameRole: (t) => t('Rename the role'),
  deleteTurns: (t) => t('Delete the turns after the last answer'),
  deleteDuplicate: (t) => t('Delete the repeated record'),
  joinLines: (t) => t('Join the record into one line'),
  convertArray: (t) => t('Convert the array to JSON Lines'),
};
