import { MergeQueue } from './mergeQueue';
import { MergeTable } from './mergeTable';
import { PieceType } from './model';
import { IdSink, type Vocabulary } from './vocabulary';

/** Turns normalised text into piece ids. */
export interface PieceEncoder {
  encode(normalized: string): number[];
}

/** Keys are rank * 2^27 + position, so that the smallest is the best score and, among equals, the leftmost. */
const POSITIONS = 2 ** 27;
const MAX_CACHED_LENGTH = 32;
const MAX_CACHED_CHUNKS = 100_000;
const NONE = -1;
/** A symbol swallowed by its left neighbour. */
const GONE = -2;

/**
 * BPE of SentencePiece (`bpe_model.cc`): merge the neighbouring pair whose piece has the highest score, the leftmost on ties,
 * until none is left; a user-defined piece is a frozen symbol.
 *
 * The text is cut where no piece contains the two characters side by side. No merge reaches across such a cut, so the chunks
 * are independent and can be remembered.
 */
export class BpeEncoder implements PieceEncoder {
  private readonly table: MergeTable;
  private readonly cache = new Map<string, readonly number[]>();
  private readonly queue = new MergeQueue();
  private codePoints = new Int32Array(64);
  private symbols = new Int32Array(64);
  private next = new Int32Array(64);
  private previous = new Int32Array(64);
  /** How an unused piece was formed, to take it apart again. */
  private readonly halves = new Map<number, readonly [left: number, right: number]>();

  constructor(private readonly vocabulary: Vocabulary) {
    this.table = new MergeTable(vocabulary);
  }

  encode(normalized: string): number[] {
    const { table } = this;
    const { userDefined, textPieces } = this.vocabulary;
    const sink = new IdSink(this.vocabulary);
    let start = 0;
    let index = 0;
    let before = NONE;
    while (index < normalized.length) {
      const frozen = userDefined?.longestMatch(normalized, index) ?? 0;
      if (frozen > 0) {
        this.encodeChunk(normalized.slice(start, index), sink);
        sink.push(textPieces.get(normalized.slice(index, index + frozen)) as number);
        index += frozen;
        start = index;
        before = NONE;
        continue;
      }
      const codePoint = normalized.codePointAt(index) as number;
      // Taking unused pieces apart looks at the whole text, so it must not be cut then.
      if (before !== NONE && !table.hasUnused && !table.canTouch(before, codePoint)) {
        this.encodeChunk(normalized.slice(start, index), sink);
        start = index;
      }
      before = codePoint;
      index += codePoint > 0xffff ? 2 : 1;
    }
    this.encodeChunk(normalized.slice(start), sink);
    return sink.ids;
  }

  private encodeChunk(chunk: string, sink: IdSink): void {
    if (chunk === '') return;
    if (chunk.length === 1) {
      const codeUnit = chunk.charCodeAt(0);
      this.emit(this.table.symbolOf(codeUnit), codeUnit, sink);
      return;
    }
    if (chunk.length > MAX_CACHED_LENGTH) {
      this.merge(chunk, sink);
      return;
    }
    let ids = this.cache.get(chunk);
    if (!ids) {
      const part = new IdSink(this.vocabulary);
      this.merge(chunk, part);
      ids = part.ids;
      if (this.cache.size >= MAX_CACHED_CHUNKS) this.cache.clear();
      // A slice keeps the text it was cut from alive; the key must not.
      this.cache.set(Buffer.from(chunk, 'utf16le').toString('utf16le'), ids);
    }
    for (const id of ids) sink.push(id);
  }

  private merge(chunk: string, sink: IdSink): void {
    const count = this.split(chunk);
    const { table, queue, symbols, next, previous, codePoints } = this;
    this.halves.clear();
    for (let right = 1; right < count; right++) this.offer(right - 1, right);
    while (queue.size > 0) {
      const key = queue.pop();
      const left = key % POSITIONS;
      const right = symbols[left] === GONE ? NONE : next[left];
      if (right === NONE) continue;
      const piece = table.merges.get(symbols[left], symbols[right]);
      // An entry is stale when its symbols have changed since. If the ranks agree, an equal entry of the present pair exists.
      if (piece < 0 || table.rank[piece] !== (key - left) / POSITIONS) continue;
      symbols[left] = piece;
      symbols[right] = GONE;
      next[left] = next[right];
      if (next[left] !== NONE) previous[next[left]] = left;
      if (previous[left] !== NONE) this.offer(previous[left], left);
      if (next[left] !== NONE) this.offer(left, next[left]);
    }
    for (let index = 0; index !== NONE; index = next[index])
      this.emit(symbols[index], codePoints[index], sink);
  }

  /** Fills the linked list with one symbol per character; returns their number. */
  private split(chunk: string): number {
    if (chunk.length > this.symbols.length) {
      const capacity = chunk.length * 2;
      this.codePoints = new Int32Array(capacity);
      this.symbols = new Int32Array(capacity);
      this.next = new Int32Array(capacity);
      this.previous = new Int32Array(capacity);
    }
    let count = 0;
    for (let at = 0; at < chunk.length; count++) {
      const codePoint = chunk.codePointAt(at) as number;
      at += codePoint > 0xffff ? 2 : 1;
      this.codePoints[count] = codePoint;
      this.symbols[count] = this.table.symbolOf(codePoint);
      this.previous[count] = count - 1;
      this.next[count] = at < chunk.length ? count + 1 : NONE;
    }
    return count;
  }

  private offer(left: number, right: number): void {
    const { table, symbols } = this;
    if (symbols[left] < 0 || symbols[right] < 0) return;
    const piece = table.merges.get(symbols[left], symbols[right]);
    if (piece < 0) return;
    if (this.vocabulary.types[piece] === PieceType.unused) {
      this.halves.set(piece, [symbols[left], symbols[right]]);
    }
    this.queue.push(table.rank[piece] * POSITIONS + left);
  }

  /** @param codePoint the first character that the symbol covers */
  private emit(symbol: number, codePoint: number, sink: IdSink): void {
    if (symbol < 0 || symbol >= this.vocabulary.size) {
      sink.pushUnknown(String.fromCodePoint(codePoint));
      return;
    }
    const halves = this.table.hasUnused ? this.halves.get(symbol) : undefined;
    if (!halves) {
      sink.push(symbol);
      return;
    }
    const [left, right] = halves;
    const first = String.fromCodePoint(codePoint);
    const leftLength = left < this.vocabulary.size ? this.vocabulary.texts[left].length : first.length;
    this.emit(left, codePoint, sink);
    this.emit(right, this.vocabulary.texts[symbol].codePointAt(leftLength) as number, sink);
  }
}
