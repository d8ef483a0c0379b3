import { iceTextLoader } from './iceText';
import type { TokenizerKind, TokenizerLoader } from './loader';
import { ranksLoader } from './ranks';
import { sentencePieceLoader } from './sentencePiece';
import { tokenizerJsonLoader } from './tokenizerJson';

/** The loader of each kind of tokenizer file. */
export const loaders: Readonly<Record<TokenizerKind, TokenizerLoader>> = {
  iceText: iceTextLoader,
  sentencePiece: sentencePieceLoader,
  ranks: ranksLoader,
  tokenizerJson: tokenizerJsonLoader,
};
