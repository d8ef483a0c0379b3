/** A token added to the vocabulary: it is found in a text before the text is cut and merged. */
export interface AddedToken {
  id: number;
  text: string;
  /** Control tokens are left out of decoded text, and no user text can produce them. */
  special: boolean;
}

export interface AddedMatch {
  start: number;
  end: number;
  token: AddedToken;
}

/** Finds added tokens in texts: the leftmost, and of those that begin there the longest. */
export class AddedTokenFinder {
  private readonly byText: ReadonlyMap<string, AddedToken>;
  private readonly pattern: RegExp | null;

  constructor(tokens: readonly AddedToken[]) {
    this.byText = new Map(tokens.map((token) => [token.text, token]));
    const texts = [...this.byText.keys()].sort((a, b) => b.length - a.length);
    this.pattern = texts.length > 0 ? new RegExp(texts.map(escapeForRegExp).join('|'), 'g') : null;
  }

  /** @param accept false for a range whose control tokens are plain text */
  find(text: string, accept?: (start: number, end: number) => boolean): AddedMatch[] {
    const { pattern } = this;
    const found: AddedMatch[] = [];
    if (!pattern) return found;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
      const token = this.byText.get(match[0]) as AddedToken;
      const end = match.index + match[0].length;
      if (!token.special || !accept || accept(match.index, end))
        found.push({ start: match.index, end, token });
      // A refused token may hide one that begins within it.
      else pattern.lastIndex = match.index + 1;
    }
    return found;
  }
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
