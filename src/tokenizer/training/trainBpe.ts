import {
  defaultNormalizer,
  defaultTrainer,
  PieceType,
  pieceOfByte,
  type Piece,
  type SentencePieceModel,
} from '../sentencepiece/model';
import { META_SPACE } from '../sentencepiece/normalizer';
import { PairCounts, type CountedWord } from './pairCounts';
import { countWords, selectCharacters } from './words';

export interface TrainBpeOptions {
  /** Number of pieces, the unknown, control and byte pieces included. */
  vocabSize: number;
  /** Share of the text whose characters become pieces; rarer characters are written as bytes. */
  characterCoverage?: number;
  /** Longest piece in characters. */
  maxPieceLength?: number;
}

/** `<unk>`, `<s>`, `</s>` and 256 bytes, so that `<0x0A>` is id 13 as in ChatGLM3. */
const FIXED_PIECES = 3 + 256;

/**
 * Learns a BPE vocabulary from lines of text. The same lines give the same model, on every machine.
 *
 * Layout of the ids: unknown 0, `<s>` 1, `</s>` 2, bytes, merged pieces in the order they were learnt, single characters by
 * frequency. Text is not normalised; a leading `▁` is added and bytes stand in for unknown characters.
 * @throws RangeError if `vocabSize` leaves no room beside the fixed pieces
 */
export function trainBpe(lines: Iterable<string>, options: TrainBpeOptions): SentencePieceModel {
  const { vocabSize, characterCoverage = 0.9995, maxPieceLength = 16 } = options;
  const room = vocabSize - FIXED_PIECES;
  if (!Number.isInteger(vocabSize) || room < 1) {
    throw new RangeError(`vocabSize must be a whole number above ${FIXED_PIECES}`);
  }
  const words = countWords(lines);
  const characters = selectCharacters(words, characterCoverage, room);
  if (!characters.includes(META_SPACE)) {
    // Every encoded text begins with it.
    if (characters.length === room) characters.pop();
    characters.push(META_SPACE);
  }
  const merged = learnMerges(words, new Set(characters), room - characters.length, maxPieceLength);
  const learnt = [...merged, ...characters].map((text, rank) => piece(text, PieceType.normal, -rank));
  return {
    pieces: [...fixedPieces(), ...learnt],
    trainer: { ...defaultTrainer, modelType: 'bpe', byteFallback: true },
    normalizer: { ...defaultNormalizer, name: 'identity', removeExtraWhitespaces: false },
  };
}

function fixedPieces(): Piece[] {
  const pieces = [
    piece('<unk>', PieceType.unknown, 0),
    piece('<s>', PieceType.control, 0),
    piece('</s>', PieceType.control, 0),
  ];
  for (let value = 0; value < 256; value++) pieces.push(piece(pieceOfByte(value), PieceType.byte, 0));
  return pieces;
}

function piece(text: string, type: PieceType, score: number): Piece {
  return { text, type, score: score === 0 ? 0 : score };
}

/** At most `count` merged pieces, in the order they are learnt. */
function learnMerges(
  words: Map<string, number>,
  alphabet: ReadonlySet<string>,
  count: number,
  maxPieceLength: number,
): string[] {
  const pairs = new PairCounts(toSymbols(words, alphabet));
  const learnt = new Set<string>();
  const reserved = new Set(fixedPieces().map((fixed) => fixed.text));
  while (learnt.size < count) {
    const best = pairs.best(
      ({ left, right }) => [...left, ...right].length <= maxPieceLength && !reserved.has(left + right),
    );
    if (!best) break;
    pairs.merge(best);
    // Different pairs can form the same text; it is one piece.
    learnt.add(best.left + best.right);
  }
  return [...learnt];
}

/** Words as characters, cut where a character is not in the alphabet. */
function toSymbols(words: Map<string, number>, alphabet: ReadonlySet<string>): CountedWord[] {
  const result: CountedWord[] = [];
  for (const [word, count] of words) {
    let symbols: string[] = [];
    const end = (): void => {
      if (symbols.length > 1) result.push({ symbols, count });
      symbols = [];
    };
    for (const character of word) {
      if (alphabet.has(character)) symbols.push(character);
      else end();
    }
    end();
  }
  return result;
}
