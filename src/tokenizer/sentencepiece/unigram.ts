import type { PieceEncoder } from './bpe';
import { PieceType } from './model';
import { Trie } from './trie';
import { IdSink, type Vocabulary } from './vocabulary';

/** What an unknown character costs below the worst piece (SentencePiece `kUnkPenalty`). */
const UNKNOWN_PENALTY = 10;

/** What a user-defined piece adds for each UTF-8 byte after its first, so that the longest one is taken. */
const USER_DEFINED_BONUS = 0.1;

/**
 * Unigram segmentation of SentencePiece 0.2.2 (`EncodeOptimized`): the path with the highest sum of scores. Sums are float32,
 * as there, because rounding decides between equal paths. What a user-defined piece adds was found by comparing outputs.
 */
export class UnigramEncoder implements PieceEncoder {
  private readonly trie: Trie;
  private readonly unknownScore: number;
  private readonly arcScores: Float32Array;
  private bestScore = new Float32Array(64);
  private bestStart = new Int32Array(64);
  private bestPiece = new Int32Array(64);

  constructor(private readonly vocabulary: Vocabulary) {
    const { types, scores, texts, textPieces } = vocabulary;
    this.trie = new Trie([...textPieces].filter(([, id]) => types[id] !== PieceType.unused));
    let smallest = Infinity;
    for (let id = 0; id < types.length; id++) {
      if (types[id] === PieceType.normal) smallest = Math.min(smallest, scores[id]);
    }
    this.unknownScore = Math.fround(smallest - UNKNOWN_PENALTY);
    this.arcScores = scores.map((score, id) =>
      types[id] === PieceType.userDefined
        ? USER_DEFINED_BONUS * (Buffer.byteLength(texts[id], 'utf8') - 1)
        : score,
    );
  }

  encode(normalized: string): number[] {
    const sink = new IdSink(this.vocabulary);
    const path = this.bestPath(normalized);
    for (let index = path.length - 1; index >= 0; index--) {
      const end = path[index];
      const id = this.bestPiece[end];
      if (id === this.vocabulary.unknown) sink.pushUnknown(normalized.slice(this.bestStart[end], end));
      else sink.push(id);
    }
    return sink.ids;
  }

  /** Ends of the pieces of the best segmentation, last piece first. */
  private bestPath(text: string): number[] {
    this.prepare(text.length);
    const { trie, bestScore, bestStart, arcScores, vocabulary } = this;
    for (let start = 0; start < text.length;) {
      const soFar = bestScore[start];
      const characterLength = (text.codePointAt(start) as number) > 0xffff ? 2 : 1;
      let coversCharacter = false;
      let node = 0;
      for (let end = start + 1; end <= text.length; end++) {
        node = trie.step(node, text.charCodeAt(end - 1));
        if (node < 0) break;
        const id = trie.value(node);
        if (id < 0) continue;
        this.improve(start, end, id, Math.fround(soFar + arcScores[id]));
        if (end - start === characterLength) coversCharacter = true;
      }
      if (!coversCharacter) {
        const score = Math.fround(soFar + this.unknownScore);
        this.improve(start, start + characterLength, vocabulary.unknown, score);
      }
      start += characterLength;
    }
    const ends: number[] = [];
    for (let end = text.length; end > 0; end = bestStart[end]) ends.push(end);
    return ends;
  }

  private improve(start: number, end: number, id: number, score: number): void {
    if (this.bestStart[end] >= 0 && score <= this.bestScore[end]) return;
    this.bestScore[end] = score;
    this.bestStart[end] = start;
    this.bestPiece[end] = id;
  }

  private prepare(length: number): void {
    if (this.bestScore.length <= length) {
      this.bestScore = new Float32Array(length * 2);
      this.bestStart = new Int32Array(length * 2);
      this.bestPiece = new Int32Array(length * 2);
    }
    this.bestStart.fill(-1, 0, length + 1);
    this.bestScore[0] = 0;
  }
}
