/** Splits a byte stream into lines. */

/** A line longer than this is dropped: no event or reply of ours comes near it, and memory stays bounded. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Bytes in, whole UTF-8 lines out. A line without its end is kept until the rest arrives, so no character is torn. */
export class LineBuffer {
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private skipping = false;

  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      this.keep(chunk.subarray(from, at));
      const line = this.take();
      if (line !== null && line.trim() !== '') lines.push(line);
      from = at + 1;
    }
    this.keep(chunk.subarray(from));
    return lines;
  }

  reset(): void {
    this.pending = [];
    this.pendingBytes = 0;
    this.skipping = false;
  }

  private keep(part: Buffer): void {
    if (part.length === 0 || this.skipping) return;
    if (this.pendingBytes + part.length > MAX_LINE_BYTES) {
      this.reset();
      this.skipping = true;
      return;
    }
    // A copy: the caller reuses its read buffer.
    this.pending.push(Buffer.from(part));
    this.pendingBytes += part.length;
  }

  private take(): string | null {
    const line = this.skipping ? null : Buffer.concat(this.pending).toString('utf8');
    this.reset();
    return line;
  }
}
