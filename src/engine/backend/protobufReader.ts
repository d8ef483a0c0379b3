/** A reader for the protocol-buffer wire format: just what the library's run metadata needs. */

/** One field of a message. Numbers of 64 bits are exact as `bigint`. */
export interface ProtoField {
  field: number;
  /** Of a varint, else 0n. */
  integer: bigint;
  /** Of a length-delimited field, else empty: a string, a nested message, packed numbers. */
  bytes: Uint8Array;
}

const NOTHING = new Uint8Array();
const decoder = new TextDecoder();

/** The fields of a message in the order they were written. Throws RangeError where the message is cut off or damaged. */
export function* readFields(message: Uint8Array): Generator<ProtoField> {
  const reader = new WireReader(message);
  while (!reader.atEnd) {
    const key = Number(reader.varint());
    const [field, wireType] = [key >>> 3, key & 7];
    switch (wireType) {
      case 0:
        yield { field, integer: reader.varint(), bytes: NOTHING };
        break;
      case 1:
        yield { field, integer: 0n, bytes: reader.take(8) };
        break;
      case 2:
        yield { field, integer: 0n, bytes: reader.take(Number(reader.varint())) };
        break;
      case 5:
        yield { field, integer: 0n, bytes: reader.take(4) };
        break;
      default:
        throw new RangeError(`wire type ${wireType} is not read`);
    }
  }
}

/** The text of a length-delimited field. */
export function readText({ bytes }: ProtoField): string {
  return decoder.decode(bytes);
}

/** An int64, which is written as its two's complement. */
export function readSigned({ integer }: ProtoField): bigint {
  return BigInt.asIntN(64, integer);
}

class WireReader {
  private offset = 0;

  constructor(private readonly data: Uint8Array) {}

  get atEnd(): boolean {
    return this.offset >= this.data.length;
  }

  take(length: number): Uint8Array {
    const end = this.offset + length;
    if (end > this.data.length) throw new RangeError('the message is cut off');
    const part = this.data.subarray(this.offset, end);
    this.offset = end;
    return part;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const [byte] = this.take(1);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError('a number has too many bytes');
  }
}
