import {
  defaultNormalizer,
  defaultTrainer,
  META_SPACE,
  PieceType,
  pieceOfByte,
  type Piece,
  type SentencePieceModel,
} from '../sentencepiece/model';
import { PairCounts, type CountedWord } from './pairCounts';
import { countWords, rankCharacters, type Candidate } from './words';

export interface TrainBpeOptions {
  /** Number of pieces, the unknown, control and byte pieces included; fewer if the text does not yield as many. */
  vocabSize: number;
  /** Share of the text whose characters become pieces; rarer characters are written as bytes. */
  characterCoverage?: number;
  /** Longest piece in characters. */
  maxPieceLength?: number;
}

/** `<unk>`, `<s>`, `</s>` and 256 bytes, so that `<0x0A>` is id 13 as in ChatGLM3. */
const FIXED_PIECES = 3 + 256;
/** A pair that occurs once teaches nothing. */
const MIN_PAIR_COUNT = 2;

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
  const characters = rankCharacters(words, characterCoverage);
  const merges = learnMerges(words, characters, room, maxPieceLength);
  const learnt = choose(merges, characters, room).map((text, rank) => piece(text, PieceType.normal, -rank));
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

/** Merged pieces in the order they are learnt, until `room` pieces are found that save more tokens than any to come. */
function learnMerges(
  words: Map<string, number>,
  characters: readonly Candidate[],
  room: number,
  maxPieceLength: number,
): Candidate[] {
  const pairs = new PairCounts(toSymbols(words, new Set(characters.map(({ text }) => text))));
  const merges = new Map<string, Candidate>();
  const reserved = new Set(fixedPieces().map((fixed) => fixed.text));
  let betterCharacters = 0;
  while (merges.size + betterCharacters < room) {
    const best = pairs.best(
      ({ left, right }) => [...left, ...right].length <= maxPieceLength && !reserved.has(left + right),
    );
    if (!best || best.count < MIN_PAIR_COUNT) break;
    const { count } = best;
    const text = best.left + best.right;
    // Different pairs can form the same text; it is one piece.
    if (!merges.has(text)) merges.set(text, { text, gain: count });
    pairs.merge(best);
    while (characters[betterCharacters] && characters[betterCharacters].gain >= count) betterCharacters++;
  }
  return [...merges.values()];
}

/**
 * The `room` most useful pieces: merges in the order they were learnt, then characters. A merge is never more frequent than
 * the pieces it is made of, so these are chosen before it.
 */
function choose(merges: readonly Candidate[], characters: readonly Candidate[], room: number): string[] {
  let mergeCount = 0;
  // Every encoded text begins with it.
  const chosen = new Set([META_SPACE]);
  for (const character of characters) {
    while (mergeCount < merges.length && merges[mergeCount].gain > character.gain) mergeCount++;
    if (chosen.size + mergeCount >= room) break;
    chosen.add(character.text);
  }
  mergeCount = Math.min(merges.length, room - chosen.size);
  return [...merges.slice(0, mergeCount).map(({ text }) => text), ...chosen];
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
