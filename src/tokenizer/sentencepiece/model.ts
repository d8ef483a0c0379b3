/** `tokenizer.model` / `ice_text.model`: the protobuf message `sentencepiece.ModelProto`, as plain data. */
import { GlmError, type TokenizerModelProblem } from '../../protocol/errors';
import { ModelFormatError, readFields, toInt32, type WireField } from './wireReader';

/** Numbers of `ModelProto.SentencePiece.Type`. */
export const PieceType = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;
export type PieceType = (typeof PieceType)[keyof typeof PieceType];

export interface Piece {
  text: string;
  /** float32; a higher score wins. */
  score: number;
  type: PieceType;
}

export interface TrainerSpec {
  modelType: 'unigram' | 'bpe';
  byteFallback: boolean;
  treatWhitespaceAsSuffix: boolean;
  /** Texts of the control pieces; an id is looked up by them. */
  bosPiece: string;
  eosPiece: string;
  /** What an unknown piece prints. */
  unkSurface: string;
}

export interface NormalizerSpec {
  name: string;
  /** Little-endian uint32 size, darts-clone double array of that size, NUL-terminated replacement strings. Empty: identity. */
  precompiledCharsmap: Uint8Array;
  addDummyPrefix: boolean;
  removeExtraWhitespaces: boolean;
  escapeWhitespaces: boolean;
}

export interface SentencePieceModel {
  pieces: Piece[];
  trainer: TrainerSpec;
  normalizer: NormalizerSpec;
}

/** U+2581, which stands for a space inside pieces. */
export const META_SPACE = '\u2581';

/** Far above every published vocabulary (ChatGLM-6B: 130344), far below what would exhaust memory. */
export const MAX_PIECES = 1 << 19;
/** The longest piece in UTF-8 bytes; SentencePiece's trainer stops at 16 characters, user-defined pieces may be longer. */
export const MAX_PIECE_BYTES = 256;
/** All pieces together; ChatGLM-6B's have about 1 MB. The tables made of them need some 40 times as much memory. */
const MAX_TOTAL_BYTES = 8 * 1024 * 1024;

export const defaultTrainer: Readonly<TrainerSpec> = {
  modelType: 'unigram',
  byteFallback: false,
  treatWhitespaceAsSuffix: false,
  bosPiece: '<s>',
  eosPiece: '</s>',
  unkSurface: ' \u2047 ',
};

export const defaultNormalizer: Readonly<NormalizerSpec> = {
  name: '',
  precompiledCharsmap: new Uint8Array(0),
  addDummyPrefix: true,
  removeExtraWhitespaces: true,
  escapeWhitespaces: true,
};

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses and validates a model file. Unknown fields are skipped, absent ones take protobuf's defaults.
 * @param path the file's path, for the error only
 * @throws GlmError `tokenizer.invalidModel` for anything that is not a usable model
 */
export function parseSentencePieceModel(bytes: Uint8Array, path: string): SentencePieceModel {
  const invalid = (reason: TokenizerModelProblem, cause?: unknown): GlmError =>
    new GlmError('tokenizer.invalidModel', { path, reason }, { cause });
  let model: SentencePieceModel;
  try {
    model = readModel(bytes);
  } catch (error) {
    if (error instanceof ModelFormatError) throw invalid(error.reason, error);
    if (error instanceof GlmError) throw error;
    throw invalid('malformed', error);
  }
  const problem = findProblem(model);
  if (problem) throw invalid(problem);
  return model;
}

function readModel(bytes: Uint8Array): SentencePieceModel {
  const model: SentencePieceModel = {
    pieces: [],
    trainer: { ...defaultTrainer },
    normalizer: { ...defaultNormalizer },
  };
  let total = 0;
  for (const field of readFields(bytes)) {
    if (field.type !== 'bytes') continue;
    if (field.field === 1) {
      total += field.value.length;
      if (model.pieces.length === MAX_PIECES || total > MAX_TOTAL_BYTES) {
        throw new ModelFormatError('tooMany');
      }
      model.pieces.push(readPiece(field.value));
    } else if (field.field === 2) readTrainer(field.value, model.trainer);
    else if (field.field === 3) readNormalizer(field.value, model.normalizer);
  }
  return model;
}

function readPiece(bytes: Uint8Array): Piece {
  const piece: Piece = { text: '', score: 0, type: PieceType.normal };
  for (const field of readFields(bytes)) {
    if (field.field === 1) piece.text = textOf(field);
    else if (field.field === 2 && field.type === 'fixed32') piece.score = field.value;
    else if (field.field === 3 && field.type === 'varint') piece.type = field.value as PieceType;
  }
  return piece;
}

function readTrainer(bytes: Uint8Array, trainer: TrainerSpec): void {
  for (const field of readFields(bytes)) {
    switch (field.field) {
      case 3: {
        const type = toInt32(numberOf(field));
        // Word and character models were never used by a GLM.
        if (type !== 1 && type !== 2) throw new ModelFormatError('malformed');
        trainer.modelType = type === 2 ? 'bpe' : 'unigram';
        break;
      }
      case 24:
        trainer.treatWhitespaceAsSuffix = numberOf(field) !== 0;
        break;
      case 35:
        trainer.byteFallback = numberOf(field) !== 0;
        break;
      case 44:
        trainer.unkSurface = textOf(field);
        break;
      case 46:
        trainer.bosPiece = textOf(field);
        break;
      case 47:
        trainer.eosPiece = textOf(field);
        break;
    }
  }
}

function readNormalizer(bytes: Uint8Array, normalizer: NormalizerSpec): void {
  for (const field of readFields(bytes)) {
    switch (field.field) {
      case 1:
        normalizer.name = textOf(field);
        break;
      case 2:
        if (field.type !== 'bytes') throw new ModelFormatError('malformed');
        normalizer.precompiledCharsmap = Uint8Array.from(field.value);
        break;
      case 3:
        normalizer.addDummyPrefix = numberOf(field) !== 0;
        break;
      case 4:
        normalizer.removeExtraWhitespaces = numberOf(field) !== 0;
        break;
      case 5:
        normalizer.escapeWhitespaces = numberOf(field) !== 0;
        break;
    }
  }
}

function textOf(field: WireField): string {
  if (field.type !== 'bytes' || field.value.length > MAX_PIECE_BYTES) throw new ModelFormatError('malformed');
  return decoder.decode(field.value);
}

function numberOf(field: WireField): number {
  if (field.type !== 'varint') throw new ModelFormatError('malformed');
  return field.value;
}

/** The rules SentencePiece itself enforces when it loads a model. */
function findProblem({ pieces, trainer }: SentencePieceModel): TokenizerModelProblem | null {
  if (pieces.length === 0) return 'noPieces';
  const seen = new Set<string>();
  let unknowns = 0;
  const byteValues = new Set<number>();
  for (const piece of pieces) {
    if (!(piece.type >= 1 && piece.type <= 6) || !Number.isFinite(piece.score) || piece.text === '') {
      return 'malformed';
    }
    if (seen.has(piece.text)) return 'duplicatePiece';
    seen.add(piece.text);
    if (piece.type === PieceType.unknown) unknowns++;
    if (piece.type === PieceType.byte) {
      const value = byteOfPiece(piece.text);
      if (value < 0) return 'malformed';
      byteValues.add(value);
    }
  }
  if (unknowns !== 1) return 'noUnknown';
  if (trainer.byteFallback && byteValues.size !== 256) return 'missingBytePieces';
  return null;
}

/** The value of a byte piece such as `<0x0A>`, or -1. */
export function byteOfPiece(text: string): number {
  return /^<0x[0-9A-F]{2}>$/.test(text) ? Number.parseInt(text.slice(3, 5), 16) : -1;
}

/** The byte piece of a value. */
export function pieceOfByte(value: number): string {
  return `<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`;
}
