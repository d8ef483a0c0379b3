/** Makes a SentencePiece vocabulary for a model of one's own. */
export { trainBpe, type TrainBpeOptions } from './trainBpe';
export { writeSentencePieceModel } from '../sentencepiece/modelWriter';
export type { SentencePieceModel } from '../sentencepiece/model';
