import { iceTextLoader } from './iceText';
import type { TokenizerKind, TokenizerLoader } from './loader';
import { sentencePieceLoader } from './sentencePiece';

/** The loader of each kind of tokenizer file. */
export const loaders: Readonly<Partial<Record<TokenizerKind, TokenizerLoader>>> = {
  iceText: iceTextLoader,
  sentencePiece: sentencePieceLoader,
};
