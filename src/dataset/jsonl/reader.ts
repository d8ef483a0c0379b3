/** Lines of a file from disk, in bounded memory. */
import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { GlmError } from '../../protocol/errors';

/** `line` is 0-based. `text` is without its line ending; a byte order mark stays. */
export interface FileLine {
  line: number;
  text: string;
  /** False: the bytes are not UTF-8 and `text` holds U+FFFD in their places. */
  validUtf8: boolean;
  /** True: the line ended with CR LF. */
  crlf: boolean;
}

const CHUNK_BYTES = 1 << 20;
/** A longer line is not a training record; refusing it bounds memory on files without newlines. */
export const MAX_LINE_BYTES = 64 << 20;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Reads the lines of a file. The empty string after a final newline is not a line.
 * Throws GlmError `dataset.notFound`, `dataset.lineTooLong`; other file-system errors as they are.
 */
export async function* readLines(path: string, signal?: AbortSignal): AsyncGenerator<FileLine, void, void> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new GlmError('dataset.notFound', { path });
    throw error;
  });
  try {
    let rest: Buffer = Buffer.alloc(0);
    let line = 0;
    for (;;) {
      signal?.throwIfAborted();
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) break;
      const fresh = chunk.subarray(0, bytesRead);
      const firstNewline = fresh.indexOf(NEWLINE);
      const data = rest.length === 0 ? fresh : Buffer.concat([rest, fresh]);
      if (firstNewline < 0) {
        if (data.length > MAX_LINE_BYTES) {
          throw new GlmError('dataset.lineTooLong', {
            path,
            line: line + 1,
            megabytes: MAX_LINE_BYTES >> 20,
          });
        }
        rest = data;
        continue;
      }
      let start = 0;
      let end = rest.length + firstNewline;
      const chunkIsUtf8 = isUtf8(data.subarray(0, data.lastIndexOf(NEWLINE) + 1));
      while (end >= 0) {
        yield decodeLine(data.subarray(start, end), line++, chunkIsUtf8);
        start = end + 1;
        end = data.indexOf(NEWLINE, start);
      }
      rest = data.subarray(start);
    }
    if (rest.length > 0) yield decodeLine(rest, line, false);
  } finally {
    await file.close();
  }
}

function decodeLine(bytes: Buffer, line: number, knownUtf8: boolean): FileLine {
  const crlf = bytes.length > 0 && bytes[bytes.length - 1] === CARRIAGE_RETURN;
  const content = crlf ? bytes.subarray(0, -1) : bytes;
  return { line, text: content.toString('utf8'), validUtf8: knownUtf8 || isUtf8(content), crlf };
}
