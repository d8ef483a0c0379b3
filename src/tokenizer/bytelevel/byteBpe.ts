import { MergeQueue } from '../sentencepiece/mergeQueue';
import { splitText } from './splitter';
import type { ByteVocabulary, MergeRules } from './vocabulary';

/** Keys are order * 2^27 + position, so that the smallest is the earliest merge and, among equals, the leftmost. */
const POSITIONS = 2 ** 27;
/** Up to here looking at every pair anew is quicker than a queue. */
const SHORT = 48;
const MAX_CACHED_LENGTH = 64;
const MAX_CACHED_PIECES = 200_000;
const NO_MERGE = 0x7fffffff;
const NONE = -1;
/** A symbol swallowed by its left neighbour. */
const GONE = -2;

/**
 * Byte-level BPE as tiktoken and Hugging Face's tokenizers do it: the text is cut into pieces; within a piece, from its UTF-8
 * bytes on, the pair with the earliest merge is joined until none is left. Lone surrogates count as U+FFFD.
 */
export class ByteBpe {
  private readonly cache = new Map<string, number | readonly number[]>();
  private readonly queue = new MergeQueue();
  private readonly encoder = new TextEncoder();
  private bytes = Buffer.alloc(256);
  private symbols = new Int32Array(256);
  private orders = new Int32Array(256);
  private next = new Int32Array(256);
  private previous = new Int32Array(256);

  /** @param wholePieces a piece that is a token becomes that token whatever the merges say */
  constructor(
    readonly vocabulary: ByteVocabulary,
    private readonly merges: MergeRules,
    private readonly wholePieces: boolean,
  ) {}

  /** Appends the ids of a text to `ids`. */
  encodeInto(text: string, ids: number[]): void {
    for (const piece of splitText(text)) {
      const cached = this.cache.get(piece) ?? this.encodePiece(piece);
      if (typeof cached === 'number') ids.push(cached);
      else for (const id of cached) ids.push(id);
    }
  }

  private encodePiece(piece: string): number | readonly number[] {
    const count = this.readBytes(piece);
    const whole =
      this.wholePieces || count === 1
        ? this.vocabulary.ids.get(this.bytes.toString('latin1', 0, count))
        : undefined;
    const ids = whole ?? this.merge(count);
    if (piece.length <= MAX_CACHED_LENGTH) {
      if (this.cache.size >= MAX_CACHED_PIECES) this.cache.clear();
      // A slice keeps the text it was cut from alive; the key must not.
      this.cache.set(Buffer.from(piece, 'utf16le').toString('utf16le'), ids);
    }
    return ids;
  }

  /** Fills `bytes` with the UTF-8 of a piece; returns their number. */
  private readBytes(piece: string): number {
    const most = piece.length * 3;
    if (most > this.bytes.length) {
      const capacity = most * 2;
      this.bytes = Buffer.alloc(capacity);
      this.symbols = new Int32Array(capacity);
      this.orders = new Int32Array(capacity);
      this.next = new Int32Array(capacity);
      this.previous = new Int32Array(capacity);
    }
    return this.encoder.encodeInto(piece, this.bytes).written;
  }

  private merge(count: number): number[] {
    const { byteIds } = this.vocabulary;
    const { bytes, symbols, next, previous } = this;
    for (let index = 0; index < count; index++) {
      symbols[index] = byteIds[bytes[index]];
      next[index] = index + 1 < count ? index + 1 : NONE;
      previous[index] = index - 1;
    }
    if (count <= SHORT) this.mergeShort(count);
    else this.mergeLong(count);
    const ids: number[] = [];
    for (let index = 0; index !== NONE; index = next[index]) ids.push(symbols[index]);
    return ids;
  }

  private mergeShort(count: number): void {
    const { orders, next, previous } = this;
    for (let index = 0; index < count; index++) orders[index] = this.orderAt(index);
    for (;;) {
      let first = NO_MERGE;
      let at = NONE;
      for (let index = 0; index !== NONE; index = next[index]) {
        if (orders[index] < first) {
          first = orders[index];
          at = index;
        }
      }
      if (at === NONE) return;
      this.join(at, first);
      orders[at] = this.orderAt(at);
      if (previous[at] !== NONE) orders[previous[at]] = this.orderAt(previous[at]);
    }
  }

  private mergeLong(count: number): void {
    const { queue, symbols, previous } = this;
    const offer = (at: number): void => {
      const order = this.orderAt(at);
      if (order !== NO_MERGE) queue.push(order * POSITIONS + at);
    };
    for (let index = 0; index < count - 1; index++) offer(index);
    while (queue.size > 0) {
      const key = queue.pop();
      const at = key % POSITIONS;
      const order = (key - at) / POSITIONS;
      // An entry is stale when its symbols have changed since.
      if (symbols[at] === GONE || this.orderAt(at) !== order) continue;
      this.join(at, order);
      offer(at);
      if (previous[at] !== NONE) offer(previous[at]);
    }
  }

  /** Order of the merge of a symbol with its right neighbour. */
  private orderAt(at: number): number {
    const right = this.next[at];
    if (right === NONE) return NO_MERGE;
    const order = this.merges.pairs.get(this.symbols[at], this.symbols[right]);
    return order < 0 ? NO_MERGE : order;
  }

  private join(at: number, order: number): void {
    const { symbols, next, previous } = this;
    const right = next[at];
    symbols[at] = this.merges.results ? this.merges.results[order] : order;
    symbols[right] = GONE;
    next[at] = next[right];
    if (next[at] !== NONE) previous[next[at]] = at;
  }
}
