/**
 * Byte-level vocabularies in JSON write every byte as a visible character: printable Latin-1 ones as they are, the others as
 * U+0100 and up, in order.
 */
const BYTES = new Map<string, string>();

const isPrintable = (byte: number): boolean =>
  (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;

let next = 0x100;
for (let byte = 0; byte < 256; byte++) {
  BYTES.set(String.fromCharCode(isPrintable(byte) ? byte : next++), String.fromCharCode(byte));
}

/** Bytes (as U+0000 to U+00FF) of a token that is written in this alphabet, or null if it is not. */
export function bytesOfToken(text: string): string | null {
  let bytes = '';
  for (const character of text) {
    const byte = BYTES.get(character);
    if (byte === undefined) return null;
    bytes += byte;
  }
  return bytes;
}
