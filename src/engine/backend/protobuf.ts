/** A writer for the protocol-buffer wire format: just what GraphDef and ConfigProto need. */

const encoder = new TextEncoder();

/** Appends fields in the order they are called; nested messages are written as bytes. */
export class ProtoWriter {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  varint(field: number, value: number | bigint): this {
    return this.raw(key(field, 0)).raw(varintBytes(value));
  }

  bool(field: number, value: boolean): this {
    return this.varint(field, value ? 1 : 0);
  }

  float(field: number, value: number): this {
    return this.raw(key(field, 5)).raw(new Uint8Array(new Float32Array([value]).buffer));
  }

  bytes(field: number, value: Uint8Array | string | ProtoWriter): this {
    const data =
      typeof value === 'string'
        ? encoder.encode(value)
        : value instanceof ProtoWriter
          ? value.finish()
          : value;
    return this.raw(key(field, 2)).raw(varintBytes(data.length)).raw(data);
  }

  /** A repeated numeric field in packed form. */
  packed(field: number, values: readonly number[]): this {
    const inner = new ProtoWriter();
    for (const value of values) inner.raw(varintBytes(value));
    return this.bytes(field, inner);
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.length);
    let offset = 0;
    for (const part of this.parts) {
      result.set(part, offset);
      offset += part.length;
    }
    return result;
  }

  private raw(data: Uint8Array): this {
    this.parts.push(data);
    this.length += data.length;
    return this;
  }
}

function key(field: number, wireType: number): Uint8Array {
  return varintBytes((field << 3) | wireType);
}

/** Negative numbers take ten bytes, as int64 two's complement. */
function varintBytes(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}
