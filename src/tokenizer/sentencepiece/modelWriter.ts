import type { SentencePieceModel } from './model';
import { WireWriter } from './wireWriter';

/**
 * The bytes of a `tokenizer.model` file (protobuf `sentencepiece.ModelProto`) that SentencePiece's own library reads.
 * Equal models give equal bytes.
 */
export function writeSentencePieceModel(model: SentencePieceModel): Uint8Array {
  const { trainer, normalizer } = model;
  const file = new WireWriter();
  for (const piece of model.pieces) {
    const message = new WireWriter().string(1, piece.text).float(2, piece.score);
    if (piece.type !== 1) message.varint(3, piece.type);
    file.bytes(1, message.finish());
  }
  const idOf = (text: string): number => model.pieces.findIndex((piece) => piece.text === text);
  file.bytes(
    2,
    new WireWriter()
      .varint(3, trainer.modelType === 'bpe' ? 2 : 1)
      .varint(4, model.pieces.length)
      .varint(24, trainer.treatWhitespaceAsSuffix)
      .varint(35, trainer.byteFallback)
      .varint(
        40,
        model.pieces.findIndex((piece) => piece.type === 2),
      )
      .varint(41, idOf(trainer.bosPiece))
      .varint(42, idOf(trainer.eosPiece))
      .varint(43, -1)
      .string(44, trainer.unkSurface)
      .string(46, trainer.bosPiece)
      .string(47, trainer.eosPiece)
      .finish(),
  );
  file.bytes(
    3,
    new WireWriter()
      .string(1, normalizer.name)
      .bytes(2, normalizer.precompiledCharsmap)
      .varint(3, normalizer.addDummyPrefix)
      .varint(4, normalizer.removeExtraWhitespaces)
      .varint(5, normalizer.escapeWhitespaces)
      .finish(),
  );
  return file.finish();
}
