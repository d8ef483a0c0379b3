import { META_SPACE, PieceType, type SentencePieceModel } from './model';
import type { Vocabulary } from './vocabulary';

const REPLACEMENT = '\ufffd';

/**
 * Turns ids into text one by one (SentencePiece `Decode`). Bytes of an incomplete UTF-8 character are withheld until the
 * character is complete or cannot become valid any more; the texts of all calls joined are the text of all ids.
 */
export class PieceDecoder {
  private pending: number[] = [];
  private atStart = true;

  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly model: SentencePieceModel,
  ) {}

  /** The text that this id completes, possibly none. */
  push(id: number): string {
    const byte = this.vocabulary.byteValues[id];
    if (byte >= 0) {
      this.atStart = false;
      this.pending.push(byte);
      return this.takeComplete();
    }
    return this.pending.length > 0 ? this.flush() + this.pieceText(id) : this.pieceText(id);
  }

  /** The withheld bytes, each of them U+FFFD because they are no character. */
  flush(): string {
    const text = REPLACEMENT.repeat(this.pending.length);
    this.pending = [];
    return text;
  }

  private pieceText(id: number): string {
    const { trainer, normalizer } = this.model;
    const type = this.vocabulary.types[id];
    if (type === PieceType.control) return '';
    let text = type === PieceType.unknown ? trainer.unkSurface : this.vocabulary.printed[id];
    let droppedPrefix = false;
    if (this.atStart && type !== PieceType.unknown && this.vocabulary.texts[id].startsWith(META_SPACE)) {
      if (normalizer.addDummyPrefix || normalizer.removeExtraWhitespaces) {
        text = text.slice(1);
        // Where extra spaces are removed, every leading space goes, not just the dummy one.
        droppedPrefix = !normalizer.removeExtraWhitespaces;
      }
    }
    if (droppedPrefix || text !== '') this.atStart = false;
    return text;
  }

  /** Characters that are complete; a byte that cannot begin or continue one becomes U+FFFD by itself. */
  private takeComplete(): string {
    let text = '';
    while (this.pending.length > 0) {
      const length = utf8Length(this.pending[0]);
      let valid = length > 0;
      for (let index = 1; valid && index < Math.min(length, this.pending.length); index++) {
        valid = isContinuation(this.pending[0], this.pending[index], index);
      }
      if (valid && this.pending.length < length) break;
      const bytes = this.pending.splice(0, valid ? length : 1);
      text += valid ? Buffer.from(bytes).toString('utf8') : REPLACEMENT;
    }
    return text;
  }
}

/** Bytes of the character that begins with this byte, 0 if none can. */
function utf8Length(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

/** Overlong forms, surrogates and values beyond U+10FFFF show in the second byte. */
function isContinuation(lead: number, byte: number, index: number): boolean {
  if ((byte & 0xc0) !== 0x80) return false;
  if (index > 1) return true;
  if (lead === 0xe0) return byte >= 0xa0;
  if (lead === 0xed) return byte < 0xa0;
  if (lead === 0xf0) return byte >= 0x90;
  return lead !== 0xf4 || byte < 0x90;
}
