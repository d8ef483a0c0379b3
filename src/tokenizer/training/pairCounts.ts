import { compareText } from './words';

/** A word as symbols, with the number of times it occurs. */
export interface CountedWord {
  symbols: string[];
  count: number;
}

/** Two neighbouring symbols and how often they occur. */
export interface Pair {
  readonly left: string;
  readonly right: string;
  readonly count: number;
}

interface PairEntry extends Pair {
  count: number;
  /** Numbers of the words that hold the pair, or held it once. */
  words: Set<number>;
}

/** How often every pair of neighbouring symbols occurs in the words, kept up to date while pairs are merged. */
export class PairCounts {
  private readonly entries = new Map<string, PairEntry>();

  constructor(private readonly words: CountedWord[]) {
    words.forEach((_, index) => this.countWord(index, 1));
  }

  /** The most frequent pair that `allowed` accepts; among equals the first in the order of their texts. Null: none is left. */
  best(allowed: (pair: Pair) => boolean): Pair | null {
    let best: PairEntry | null = null;
    for (const entry of this.entries.values()) {
      if (best && entry.count < best.count) continue;
      if (best && entry.count === best.count && comparePairs(entry, best) >= 0) continue;
      if (allowed(entry)) best = entry;
    }
    return best;
  }

  /** Joins the pair to one symbol, from left to right, wherever it occurs. */
  merge({ left, right }: Pair): void {
    const entry = this.entries.get(keyOf(left, right));
    if (!entry) return;
    for (const index of entry.words) {
      this.countWord(index, -1);
      this.words[index].symbols = join(this.words[index].symbols, left, right);
      this.countWord(index, 1);
    }
    this.entries.delete(keyOf(left, right));
  }

  private countWord(index: number, sign: 1 | -1): void {
    const { symbols, count } = this.words[index];
    for (let at = 1; at < symbols.length; at++) {
      const left = symbols[at - 1];
      const right = symbols[at];
      const key = keyOf(left, right);
      let entry = this.entries.get(key);
      if (!entry) {
        entry = { left, right, count: 0, words: new Set() };
        this.entries.set(key, entry);
      }
      entry.count += sign * count;
      if (sign > 0) entry.words.add(index);
      else if (entry.count === 0) this.entries.delete(key);
    }
  }
}

/** NUL never occurs in a symbol. */
function keyOf(left: string, right: string): string {
  return `${left}\0${right}`;
}

function comparePairs(a: Pair, b: Pair): number {
  return compareText(a.left + a.right, b.left + b.right) || compareText(a.left, b.left);
}

function join(symbols: string[], left: string, right: string): string[] {
  const joined: string[] = [];
  for (let at = 0; at < symbols.length; at++) {
    if (symbols[at] === left && symbols[at + 1] === right) {
      joined.push(left + right);
      at++;
    } else joined.push(symbols[at]);
  }
  return joined;
}
