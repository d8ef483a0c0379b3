/** The longest replacement in UTF-8 bytes. NFKC's longest has 33; without a limit a short text could become gigabytes. */
const MAX_REPLACEMENT_BYTES = 256;

/** A rule that applies at a position: `length` UTF-16 units become `replacement`. */
export interface CharsmapMatch {
  length: number;
  replacement: string;
}

/**
 * The normalisation rules of a model (`precompiled_charsmap`): a darts-clone double array over UTF-8 bytes whose values are
 * offsets of NUL-terminated strings. The blob is untrusted: every index is checked, and a walk is as long as the text at most.
 */
export class Charsmap {
  private readonly units: Uint32Array;
  private readonly replacements: Uint8Array;
  private readonly cache = new Map<number, string>();

  private constructor(units: Uint32Array, replacements: Uint8Array) {
    this.units = units;
    this.replacements = replacements;
  }

  /** Null for a blob that is not a charsmap. */
  static parse(blob: Uint8Array): Charsmap | null {
    if (blob.length < 8) return null;
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    const size = view.getUint32(0, true);
    if (size < 4 || size % 4 !== 0 || size > blob.length - 4) return null;
    const units = new Uint32Array(size / 4);
    for (let index = 0; index < units.length; index++) units[index] = view.getUint32(4 + index * 4, true);
    const replacements = blob.subarray(4 + size);
    if (replacements.length > 0 && replacements.at(-1) !== 0) return null;
    let start = 0;
    while (start < replacements.length) {
      const end = replacements.indexOf(0, start);
      if (end - start > MAX_REPLACEMENT_BYTES) return null;
      start = end + 1;
    }
    return new Charsmap(units, replacements);
  }

  /** The longest rule that matches at `start`, or null. */
  longestMatch(text: string, start: number): CharsmapMatch | null {
    const { units } = this;
    let node = offsetOf(units[0]);
    let length = 0;
    let value = -1;
    let index = start;
    while (index < text.length) {
      const codePoint = text.codePointAt(index) as number;
      index += codePoint > 0xffff ? 2 : 1;
      for (const byte of utf8Bytes(codePoint)) {
        node ^= byte;
        if (node < 0 || node >= units.length || labelOf(units[node]) !== byte) {
          return length === 0 ? null : { length, replacement: this.replacement(value) };
        }
        const leaf = (units[node] & 0x100) !== 0;
        node ^= offsetOf(units[node]);
        if (leaf && node >= 0 && node < units.length) {
          length = index - start;
          value = units[node] & 0x7fffffff;
        }
      }
    }
    return length === 0 ? null : { length, replacement: this.replacement(value) };
  }

  private replacement(offset: number): string {
    const known = this.cache.get(offset);
    if (known !== undefined) return known;
    const end = this.replacements.indexOf(0, offset);
    const text = end < 0 ? '' : new TextDecoder().decode(this.replacements.subarray(offset, end));
    this.cache.set(offset, text);
    return text;
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

/** The byte of a unit; leaf units carry a set top bit and so match no byte. */
function labelOf(unit: number): number {
  return (unit & 0x800000ff) >>> 0;
}

const lengths = [new Uint8Array(1), new Uint8Array(2), new Uint8Array(3), new Uint8Array(4)] as const;

/** UTF-8 bytes of a code point, in a buffer that the next call overwrites. */
function utf8Bytes(codePoint: number): Uint8Array {
  if (codePoint < 0x80) {
    lengths[0][0] = codePoint;
    return lengths[0];
  }
  const count = codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
  const bytes = lengths[count - 1];
  let rest = codePoint;
  for (let index = count - 1; index > 0; index--) {
    bytes[index] = 0x80 | (rest & 0x3f);
    rest >>>= 6;
  }
  bytes[0] = [0xc0, 0xe0, 0xf0][count - 2] | rest;
  return bytes;
}
