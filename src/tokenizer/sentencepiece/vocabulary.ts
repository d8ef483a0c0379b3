import { byteOfPiece, META_SPACE, PieceType, type SentencePieceModel } from './model';
import { Trie } from './trie';

/** The pieces of a model, arranged for the encoders and the decoder. */
export class Vocabulary {
  readonly size: number;
  readonly texts: readonly string[];
  /** Texts with plain spaces, as they are printed. */
  readonly printed: readonly string[];
  readonly types: Uint8Array;
  readonly scores: Float32Array;
  /** Id of the unknown piece. */
  readonly unknown: number;
  /** Ids of `<0x00>` to `<0xFF>`, -1 where the model has none. */
  readonly bytes: Int32Array;
  /** Byte value of a piece, -1 for pieces of other types. */
  readonly byteValues: Int16Array;
  readonly byteFallback: boolean;
  /** Pieces that text can become: normal, user-defined and unused ones. */
  readonly textPieces: ReadonlyMap<string, number>;
  /** User-defined pieces, or null where there are none. */
  readonly userDefined: Trie | null;

  constructor(model: SentencePieceModel) {
    const { pieces } = model;
    this.size = pieces.length;
    this.texts = pieces.map((piece) => piece.text);
    this.printed = this.texts.map((text) => text.replaceAll(META_SPACE, ' '));
    this.types = Uint8Array.from(pieces, (piece) => piece.type);
    this.scores = Float32Array.from(pieces, (piece) => piece.score);
    this.unknown = pieces.findIndex((piece) => piece.type === PieceType.unknown);
    this.bytes = new Int32Array(256).fill(-1);
    this.byteValues = new Int16Array(pieces.length).fill(-1);
    this.byteFallback = model.trainer.byteFallback;
    const textPieces = new Map<string, number>();
    const userDefined: [string, number][] = [];
    pieces.forEach((piece, id) => {
      switch (piece.type) {
        case PieceType.byte:
          this.byteValues[id] = byteOfPiece(piece.text);
          this.bytes[this.byteValues[id]] = id;
          break;
        case PieceType.userDefined:
          userDefined.push([piece.text, id]);
          textPieces.set(piece.text, id);
          break;
        case PieceType.normal:
        case PieceType.unused:
          textPieces.set(piece.text, id);
          break;
      }
    });
    this.textPieces = textPieces;
    this.userDefined = userDefined.length > 0 ? new Trie(userDefined) : null;
  }

  /** Id of a control piece by its text, or -1. */
  controlId(text: string): number {
    const id = this.texts.indexOf(text);
    return id >= 0 && this.types[id] === PieceType.control ? id : -1;
  }
}

/** Collects ids; unknown characters become byte pieces, or one unknown piece for a run of them. */
export class IdSink {
  readonly ids: number[] = [];

  constructor(private readonly vocabulary: Vocabulary) {}

  push(id: number): void {
    const { unknown } = this.vocabulary;
    if (id === unknown && this.ids.at(-1) === unknown) return;
    this.ids.push(id);
  }

  /** A character that is no piece. */
  pushUnknown(character: string): void {
    if (!this.vocabulary.byteFallback) {
      this.push(this.vocabulary.unknown);
      return;
    }
    for (const byte of Buffer.from(character, 'utf8')) this.ids.push(this.vocabulary.bytes[byte]);
  }
}
