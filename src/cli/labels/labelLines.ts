import type { Translate } from '../../text/translate';
import type { LabelledToken } from '../../tokenizer/labelView';
import type { Tokenizer, TokenRole } from '../../tokenizer/types';
import type { Output } from '../output';

/**
 * A row for the eye: a line for every stretch of tokens of one message that are alike, with `+` where they are trained (green on
 * a terminal) and `-` where they are only read (dim).
 */
export function labelLines(
  tokens: readonly LabelledToken[],
  tokenizer: Pick<Tokenizer, 'piece'>,
  output: Pick<Output, 'paint'>,
  t: Translate,
): string[] {
  const names = roleNames(t);
  const width = Math.max(...Object.values(names).map(columnsOf));
  return stretches(tokens).map((stretch) => {
    const { role, messageIndex, trained } = stretch[0];
    const name = names[role];
    const message = messageIndex === null ? '' : `#${messageIndex + 1}`;
    const pieces = stretch.map((token) => shownPiece(token, tokenizer)).join(' ');
    const padding = ' '.repeat(width - columnsOf(name));
    const text = `  ${trained ? '+' : '-'} ${name}${padding} ${message.padEnd(4)} ${pieces}`;
    return output.paint(text, trained ? 'green' : 'dim');
  });
}

function stretches(tokens: readonly LabelledToken[]): LabelledToken[][] {
  const found: LabelledToken[][] = [];
  for (const token of tokens) {
    const last = found.at(-1)?.[0];
    const continues =
      last?.role === token.role && last.messageIndex === token.messageIndex && last.trained === token.trained;
    if (continues) found[found.length - 1].push(token);
    else found.push([token]);
  }
  return found;
}

/** The piece without anything a terminal would act on; where another token is to be predicted, that one behind an arrow. */
function shownPiece(token: LabelledToken, tokenizer: Pick<Tokenizer, 'piece'>): string {
  const piece = printable(token.piece);
  return token.trained && token.label !== token.id
    ? `${piece}→${printable(tokenizer.piece(token.label))}`
    : piece;
}

const ESCAPES: Readonly<Record<string, string>> = { ' ': '␣', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function printable(text: string): string {
  return text.replace(
    /[\p{C}\p{Z}]/gu,
    (character) => ESCAPES[character] ?? `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  );
}

/** The names in the language of the user. */
function roleNames(t: Translate): Record<TokenRole, string> {
  return {
    system: t('system'),
    user: t('user'),
    assistant: t('assistant'),
    observation: t('observation'),
    control: t('format'),
    text: t('text'),
  };
}

/** Columns on a terminal: Chinese characters take two. */
function columnsOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (/\p{Script=Han}/u.test(character) ? 2 : 1), 0);
}
