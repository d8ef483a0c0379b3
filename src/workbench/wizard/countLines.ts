/** Counts the records of a JSONL file without holding it in memory. Pure but for reading the file. */
import { createReadStream } from 'node:fs';

const NEWLINE = 0x0a;

/** Lines with anything but white space in them. */
export async function countLines(file: string): Promise<number> {
  let lines = 0;
  let filled = false;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      if (byte === NEWLINE) {
        if (filled) lines += 1;
        filled = false;
      } else if (byte > 0x20) {
        filled = true;
      }
    }
  }
  return filled ? lines + 1 : lines;
}
