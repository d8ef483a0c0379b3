import type { StreamDecoder } from '../types';

/**
 * Turns tokens' bytes into text as they come. The bytes of an incomplete UTF-8 character are withheld; what is none becomes
 * U+FFFD, once for the longest beginning of a character (as Python and Rust replace it).
 */
export class ByteDecoder {
  // A byte order mark is text here.
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  push(bytes: Uint8Array): string {
    return this.decoder.decode(bytes, { stream: true });
  }

  flush(): string {
    return this.decoder.decode();
  }
}

/** Joins what a decoder gives for ids that come all at once. */
export function decodeAll(decoder: StreamDecoder, ids: readonly number[]): string {
  let text = '';
  for (const id of ids) text += decoder.push(id);
  return text + decoder.flush();
}
