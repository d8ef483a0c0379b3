/** Reads the arguments of pickle opcodes one after the other, never past the end. */
import { torchFault } from './fault';

/** Names of tensors, modules and devices are far shorter. */
const MAX_TEXT_BYTES = 64 * 1024;

export class ByteCursor {
  private readonly view: DataView;
  private at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly file: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint8(): number {
    return this.view.getUint8(this.advance(1));
  }

  uint16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  int32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  uint32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  /** Throws where the value is not exact as a number. */
  uint64(): number {
    return this.exact(this.view.getBigUint64(this.advance(8), true));
  }

  float64(): number {
    return this.view.getFloat64(this.advance(8));
  }

  /** A whole number of up to 8 bytes, two's complement, behind its length. */
  long(): number {
    const length = this.uint8();
    if (length > 8) throw torchFault(this.file, 'limit');
    const start = this.advance(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[start + i]);
    return this.exact(BigInt.asIntN(8 * length, value));
  }

  text(length: number): string {
    if (length > MAX_TEXT_BYTES) throw torchFault(this.file, 'limit');
    const start = this.advance(length);
    return this.decode(start, start + length);
  }

  /** Text up to a line feed. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw torchFault(this.file, 'pickle', 'GLOBAL');
    if (end - this.at > MAX_TEXT_BYTES) throw torchFault(this.file, 'limit');
    const start = this.advance(end + 1 - this.at);
    return this.decode(start, end);
  }

  private decode(start: number, end: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        this.bytes.subarray(start, end),
      );
    } catch {
      throw torchFault(this.file, 'pickle', 'UTF-8');
    }
  }

  private exact(value: bigint): number {
    if (!Number.isSafeInteger(Number(value))) throw torchFault(this.file, 'limit');
    return Number(value);
  }

  /** Offset of the next `length` bytes. */
  private advance(length: number): number {
    const start = this.at;
    if (length > this.bytes.byteLength - start) throw torchFault(this.file, 'pickle', 'end');
    this.at = start + length;
    return start;
  }
}
