/** First line of each text, by a 53-bit hash: 12 bytes a slot, so that millions of lines fit. */
export class DuplicateTable {
  private keys = new Float64Array(1 << 12);
  private lines = new Uint32Array(1 << 12);
  private size = 0;

  /** Remembers the text; returns the line of an equal text added before. Two texts in 2^53 are mistaken as equal. */
  add(text: string, line: number): number | undefined {
    if (this.size * 2 >= this.keys.length) this.grow();
    const key = hash(text);
    const slot = this.find(key);
    if (this.keys[slot] === key) return this.lines[slot];
    this.keys[slot] = key;
    this.lines[slot] = line;
    this.size++;
    return undefined;
  }

  /** The slot of the key, or the empty slot where it belongs; 0 marks an empty slot. */
  private find(key: number): number {
    const mask = this.keys.length - 1;
    let slot = Math.imul(key % 0x100000000, 0x9e3779b1) & mask;
    while (this.keys[slot] !== 0 && this.keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  private grow(): void {
    const { keys, lines } = this;
    this.keys = new Float64Array(keys.length * 2);
    this.lines = new Uint32Array(keys.length * 2);
    keys.forEach((key, index) => {
      if (key === 0) return;
      const slot = this.find(key);
      this.keys[slot] = key;
      this.lines[slot] = lines[index] ?? 0;
    });
  }
}

/** Two 32-bit multiplicative hashes, joined to a whole number from 1 to 2^53. */
function hash(text: string): number {
  let a = 1;
  let b = text.length | 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul((b + code) | 0, 0x85ebca6b);
    b ^= b >>> 13;
  }
  return (a >>> 0) * 0x200000 + (b & 0x1fffff) + 1;
}
