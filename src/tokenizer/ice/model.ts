/** The pieces of `ice_text.model` that are not learned from text. */
import { PieceType, pieceOfByte, type Piece, type SentencePieceModel } from '../sentencepiece/model';
import { WHITESPACE_PIECES } from './whitespace';

/** Special tokens after the learned pieces, in order. */
export const ICE_SPECIALS = [
  '[MASK]',
  '[gMASK]',
  '[sMASK]',
  '<unused_0>',
  '<sop>',
  '<eop>',
  '<ENC>',
  '<dBLOCK>',
] as const;

export type IceSpecial = (typeof ICE_SPECIALS)[number];

/**
 * The model as the tokenizer uses it. The special tokens are control pieces, whatever type the file gives them, so that no
 * text can produce them. Files of the first revisions hold learned pieces only; their code appended special tokens,
 * placeholders of white space and bytes in this order, and so do we.
 */
export function completeIceModel(model: SentencePieceModel): SentencePieceModel {
  const specials = new Set<string>(ICE_SPECIALS);
  const pieces = model.pieces.map((piece) =>
    specials.has(piece.text) ? { ...piece, type: PieceType.control } : piece,
  );
  if (pieces.some((piece) => specials.has(piece.text))) return { ...model, pieces };
  const known = new Set(pieces.map((piece) => piece.text));
  const append = (text: string, type: PieceType): void => {
    if (!known.has(text)) pieces.push({ text, score: 0, type } satisfies Piece);
  };
  for (const text of ICE_SPECIALS) append(text, PieceType.control);
  for (const text of WHITESPACE_PIECES) append(text, PieceType.userDefined);
  for (let byte = 0; byte < 256; byte++) append(pieceOfByte(byte), PieceType.byte);
  return { ...model, pieces, trainer: { ...model.trainer, byteFallback: true } };
}
