import { PieceType } from './model';
import { PairMap } from './pairMap';
import type { Vocabulary } from './vocabulary';

const BMP = 0x10000;

/**
 * What the merges of a BPE model need, by number instead of by text. A symbol is a piece id, or, for a character that occurs
 * in pieces without being one, a number from `vocabulary.size` on.
 */
export class MergeTable {
  /** (left symbol, right symbol) -> id of the piece they form together. */
  readonly merges: PairMap;
  /** 0 for the highest score; pieces with equal scores share a rank. */
  readonly rank: Int32Array;
  readonly hasUnused: boolean;
  /** Pairs of code points that stand beside each other in some piece. */
  private readonly neighbours = new PairMap(1 << 12);
  private readonly bmpSymbols = new Int32Array(BMP).fill(-1);
  private readonly otherSymbols = new Map<number, number>();

  constructor(private readonly vocabulary: Vocabulary) {
    const { scores, textPieces, types } = vocabulary;
    const order = [...new Set(scores)].sort((a, b) => b - a);
    const rankOf = new Map(order.map((score, rank) => [score, rank]));
    this.rank = Int32Array.from(scores, (score) => rankOf.get(score) as number);
    this.hasUnused = types.includes(PieceType.unused);
    this.merges = new PairMap(textPieces.size * 2);
    let nextSymbol = vocabulary.size;
    for (const [text, id] of textPieces) if (isOneCharacter(text)) this.setSymbol(text, id);
    for (const text of textPieces.keys()) {
      for (const character of text) {
        if (this.symbolOf(character.codePointAt(0) as number) < 0) this.setSymbol(character, nextSymbol++);
      }
    }
    for (const [text, id] of textPieces) this.addMerges(text, id);
  }

  /** Symbol of a single character, or -1 if it occurs in no piece. */
  symbolOf(codePoint: number): number {
    return codePoint < BMP ? this.bmpSymbols[codePoint] : (this.otherSymbols.get(codePoint) ?? -1);
  }

  /** False: no merge can ever reach across these two characters. */
  canTouch(left: number, right: number): boolean {
    return this.neighbours.get(left, right) >= 0;
  }

  private setSymbol(character: string, symbol: number): void {
    const codePoint = character.codePointAt(0) as number;
    if (codePoint < BMP) this.bmpSymbols[codePoint] = symbol;
    else this.otherSymbols.set(codePoint, symbol);
  }

  /** Every split of a piece into two symbols. User-defined pieces also arise by merging, as in SentencePiece. */
  private addMerges(text: string, id: number): void {
    const characters = [...text];
    let split = 0;
    for (let index = 1; index < characters.length; index++) {
      split += characters[index - 1].length;
      this.neighbours.set(
        characters[index - 1].codePointAt(0) as number,
        characters[index].codePointAt(0) as number,
        1,
      );
      const left = this.symbolOfPart(text.slice(0, split));
      const right = this.symbolOfPart(text.slice(split));
      if (left >= 0 && right >= 0) this.merges.set(left, right, id);
    }
  }

  private symbolOfPart(part: string): number {
    if (isOneCharacter(part)) return this.symbolOf(part.codePointAt(0) as number);
    return this.vocabulary.textPieces.get(part) ?? -1;
  }
}

function isOneCharacter(text: string): boolean {
  return text.length === ((text.codePointAt(0) as number) > 0xffff ? 2 : 1);
}
